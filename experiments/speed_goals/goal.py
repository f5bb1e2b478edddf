"""A goal: a figure, the cells that it is read from, and its bound."""

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
    """A figure and its bound.

    Args:
        key: Its name in stored results; never reused for another goal.
        figure: The name for people.
        levels: The concurrencies of its cells.
        read: Returns the figure from the cells of one repeat with this drive.
        unit: Shown after the value; empty if the figure names it.
        sense: The side of the bound that meets the goal; None if it is enough that the cells end ok.
        bound: In the unit; unused without a sense.
        is_ladder: True if its cells double from `LADDER_FROM` until one fails.
        original: The figure of the original program; empty if not reported.
        why: The reason for the bound.
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
        """Return whether a value meets the bound."""
        if self.sense == ">=":
            return value >= self.bound
        if self.sense == "<":
            return value < self.bound
        return self.sense is None or value <= self.bound


def drives_of(goals: Sequence[Goal]) -> tuple[Drive, ...]:
    """Return the drives of the goals, each once, in order."""
    found: list[Drive] = []
    for goal in goals:
        if goal.drive not in found:
            found.append(goal.drive)
    return tuple(found)
