"""A goal: a figure that is read from some cells, and its bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.speed_goals.readings import Read
from harness.model.nouns import Caps, Drive, Load

REFERENCE_LOAD = Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)
REFERENCE_CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=None, timeout_s=600.0)
LADDER_FROM = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A figure, and what it is to be.

    Args:
        key: Its name in what is stored; never given to another goal.
        figure: What is measured, for people.
        drive: How the build is driven in its cells.
        levels: The concurrencies of its cells; they are all run before it is read.
        read: Takes the figure from the cells of one repeat that are driven so.
        unit: As it is shown; what a number without one counts is in the figure's name.
        sense: On which side of the bound it is to be; None when it is enough that the cells end ok.
        bound: In the unit; of no meaning without a sense.
        is_ladder: Whether its cells double from `LADDER_FROM` until one does not end ok.
        original: The same figure of the program that this one is to outdo, as it was reported; empty if it was not.
        why: Where the bound comes from.
    """

    key: str
    figure: str
    drive: Drive
    levels: tuple[int, ...]
    read: Read
    unit: Literal["", "×"] = ""
    sense: Literal["<=", "<", ">="] | None = None
    bound: float = 0.0
    is_ladder: bool = False
    original: str = ""
    why: str

    def is_held_by(self, value: float) -> bool:
        """Return whether a figure holds the bound."""
        if self.sense == ">=":
            return value >= self.bound
        if self.sense == "<":
            return value < self.bound
        return self.sense is None or value <= self.bound


def drives_of(goals: Sequence[Goal]) -> tuple[Drive, ...]:
    """Return each way in which the goals have the build driven, once, in order."""
    found: list[Drive] = []
    for goal in goals:
        if goal.drive not in found:
            found.append(goal.drive)
    return tuple(found)
