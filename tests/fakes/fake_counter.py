"""Counters with scripted counts, and folders that hold nothing."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.model.nouns import Side
from harness.model.tree import Tree
from harness.verbs.ports import CountSpec

_START_UP = 1000


class FakeLocalSides:
    """A place for each tree, whose name holds the hash of its runtime.

    Attributes:
        open_places: The places of open blocks.
    """

    confinement = "unconfined: there is nothing to hold"
    python = "CPython 3.11.7"

    def __init__(self) -> None:
        self.open_places: list[str] = []

    @contextmanager
    def open(self, trees: Mapping[Side, Tree]) -> Iterator[Mapping[Side, str]]:
        """Yield the places."""
        places = {side: f"/fake/{side}/{tree.subject_hash}" for side, tree in trees.items()}
        self.open_places += places.values()
        try:
            yield places
        finally:
            self.open_places.clear()


@dataclass
class FakeCounter:
    """Counts a start-up and a scripted cost for each turn of each session.

    Args:
        a_turn: The cost of a turn, by side and name.
        drift: The increase from each process of a kind to the next, by name.
        missing: The sentence for a counter that is not installed.
        failing: Why this counter cannot count a side.
        refusing: Why no counter can count a side.
        specs: All specs so far.
    """

    a_turn: Mapping[Side, Mapping[str, int]] = field(default_factory=dict)
    drift: Mapping[str, int] = field(default_factory=dict)
    missing: str = ""
    failing: Mapping[Side, str] = field(default_factory=dict)
    refusing: Mapping[Side, str] = field(default_factory=dict)
    name: CounterName = CounterName.CALLGRIND
    levels: tuple[int, int] = (10, 20)
    subject: str | None = None
    specs: list[CountSpec] = field(default_factory=list)

    def find_missing(self) -> str:
        """Return the scripted sentence."""
        return self.missing

    def count(self, specs: Sequence[CountSpec]) -> list[CountedRun | Uncounted]:
        """Return the scripted counts."""
        counted = []
        for spec in specs:
            counted.append(self._count(spec))
            self.specs.append(spec)
        return counted

    def _count(self, spec: CountSpec) -> CountedRun | Uncounted:
        if spec.side in self.refusing:
            return Uncounted(reason=self.refusing[spec.side], refused=True)
        if spec.drive.environment.get("ESCAPEMENT_WORKERS") == "platform":
            reason = (
                "ESCAPEMENT_WORKERS is 'platform'; allowed with SCALE_CLOCK=virtual: virtual, auto"
            )
            return Uncounted(reason=reason, refused=True)
        if spec.side in self.failing:
            return Uncounted(reason=self.failing[spec.side], refused=False)
        before = sum((one.side, one.level) == (spec.side, spec.level) for one in self.specs)
        turns = spec.level * spec.load.turns
        costs = self.a_turn.get(spec.side, {"instructions": 100})
        # only at the larger level: otherwise it would drop out of the slope
        drifted = {
            name: before * more * (spec.level == self.levels[1])
            for name, more in self.drift.items()
        }
        amounts = {
            name: _START_UP + turns * cost + drifted.get(name, 0) for name, cost in costs.items()
        }
        subject = self.subject or spec.place.rpartition("/")[2]
        return CountedRun(sessions=spec.level, turns=turns, amounts=amounts, subject=subject)
