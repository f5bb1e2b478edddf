"""Scenarios, their findings, and their shared resources."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from experiments.faults.engine import Engine
from experiments.faults.site import Site


@dataclass(slots=True)
class Findings:
    """The findings of a scenario.

    Args:
        times: Number of injected faults.
        happened: Reactions of the tool; repeated texts are counted.
        lost: Lost parts of the run.
        left: Leftovers, before and after cleaning.
        wrong: Failed checks.
    """

    times: int = 0
    happened: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def check(self, holds: object, words: str) -> bool:
        """Record a failed check."""
        if not holds:
            self.wrong.append(words)
        return bool(holds)

    def check_left(self, site: Site, when: str = "") -> None:
        """Check that the tool left nothing behind."""
        left = site.left()
        self.left.append(f"{when}{kinds_of(left)}")
        self.check(not left, f"{when}left behind: {kinds_of(left)}")

    def check_left_after_clean(self, site: Site) -> None:
        """Check that `invoke clean` removes the leftovers of a killed tool."""
        before = kinds_of(site.left())
        site.clean()
        after = kinds_of(site.left())
        self.left.append(f"{before}; after `clean` {after}")
        self.check(after == "nothing", f"left behind after clean: {after}")


@dataclass(slots=True)
class Lab:
    """The shared resources of all scenarios.

    Args:
        folder: For all files.
        source: The repository under test.
        base_image: Output of `docker save`.
        engine: A running engine.
        moments: Source of random moments.
        kills: Number of kills of the tool.
        numbers: Numbers for the folders of sites.
    """

    folder: Path
    source: Path
    base_image: Path
    engine: Engine
    moments: random.Random
    kills: int
    numbers: Iterator[int]
    _sites: list[Site] = field(default_factory=list)

    def site(self, name: str, engine: Engine | None = None) -> Site:
        """Make a clone of the repository."""
        root = self.folder / f"{next(self.numbers):02d}-{name}"
        self._sites.append(Site.make(self.source, root, engine or self.engine))
        return self._sites[-1]

    def end(self) -> None:
        """End all runs and restore the engine for the next scenario."""
        for site in self._sites:
            site.end()
        self.engine.restore()

    def small_engine(self, name: str, size_mb: int) -> Engine:
        """Return an engine with a small disk, not yet started."""
        return Engine(self.folder, name, size_mb=size_mb)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault.

    Args:
        name: For `--only`.
        fault: For the table.
        how: The injection, for the table.
        run: Injects the fault and fills the findings.
        longest_s: Time limit.
    """

    name: str
    fault: str
    how: str
    run: Callable[[Lab, Findings], None]
    longest_s: int = 600


def counted(words: list[str]) -> str:
    """Join texts, with a count for repeated ones."""
    times = {word: words.count(word) for word in words}
    return "; ".join(f"{number}× {word}" if number > 1 else word for word, number in times.items())


def kinds_of(left: list[str]) -> str:
    """Summarize leftovers: a count of each kind."""
    kinds = [
        " ".join(word for word in line.split(":")[0].split() if _is_word(word)) for line in left
    ]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "nothing"


def _is_word(word: str) -> bool:
    return word.rstrip(",").replace("-", "").isalpha()
