"""A scenario, its findings and its tools."""

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
        times: How often the fault was injected.
        happened: What the tool did, each in a few words; the same words twice are counted.
        lost: What of the run was lost.
        left: What was there before and after anything cleaned up.
        wrong: What did not hold.
    """

    times: int = 0
    happened: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def check(self, holds: object, words: str) -> bool:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(words)
        return bool(holds)

    def check_left(self, site: Site, when: str = "") -> None:
        """Note what the tool has left, which is to be nothing."""
        left = site.left()
        self.left.append(f"{when}{kinds_of(left)}")
        self.check(not left, f"{when}left behind: {kinds_of(left)}")

    def check_left_after_clean(self, site: Site) -> None:
        """Record the leftovers of a killed tool, and check `invoke clean`."""
        before = kinds_of(site.left())
        site.clean()
        after = kinds_of(site.left())
        self.left.append(f"{before}; after `clean` {after}")
        self.check(after == "nothing", f"left behind after clean: {after}")


@dataclass(slots=True)
class Lab:
    """The tools that all scenarios share.

    Args:
        folder: For everything that is made.
        source: The repository that is tried.
        base_image: As `docker save` wrote it.
        engine: Running.
        moments: When things happen.
        kills: How often the tool is killed.
        numbers: Of the sites, in the names of their folders.
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
        """Make a clone to work in."""
        root = self.folder / f"{next(self.numbers):02d}-{name}"
        self._sites.append(Site.make(self.source, root, engine or self.engine))
        return self._sites[-1]

    def end(self) -> None:
        """Reset for the next scenario: end runs, start the engine."""
        for site in self._sites:
            site.end()
        self.engine.revive()

    def small_engine(self, name: str, size_mb: int) -> Engine:
        """Give an engine with a small disk; it has to be started."""
        return Engine(self.folder, name, size_mb=size_mb)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault.

    Args:
        name: For `--only`.
        fault: What goes wrong, for the table.
        how: How it was injected, for the table.
        run: Injects it and says what it found.
        longest_s: How long it may take.
    """

    name: str
    fault: str
    how: str
    run: Callable[[Lab, Findings], None]
    longest_s: int = 600


def counted(words: list[str]) -> str:
    """Join words, and count those that are there more than once."""
    times = {word: words.count(word) for word in words}
    return "; ".join(f"{number}× {word}" if number > 1 else word for word, number in times.items())


def kinds_of(left: list[str]) -> str:
    """Say in words what was left: how many of each kind."""
    kinds = [
        " ".join(word for word in line.split(":")[0].split() if _is_word(word)) for line in left
    ]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "nothing"


def _is_word(word: str) -> bool:
    return word.rstrip(",").replace("-", "").isalpha()
