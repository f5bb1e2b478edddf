"""What a person asked for: the settings of a run, of a gate, and the two sides."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.gate import Margin
from harness.model.nouns import Caps, Load, Side
from harness.model.nouns import Drive

BOXES = ("docker", "cgroup", "watchdog")
"""The kinds of box, the best first."""

AUTO = "auto"
"""The first of them that works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one run is told to do.

    Args:
        levels: Ascending concurrencies.
        blocks: ABBA blocks a level; 0 for a scout, which has one pair a level.
        warm_up: Whether each side's first cell is thrown away.
        refine: Whether each side's bracket is narrowed to within 10 %.
        objective: How much latency inflation a level within capacity may have.
        pairs: At each decision level, the ladder's included; 0 for none.
        decision_levels: Ascending; empty for the ones that the ladder shows.
        budget_s: What all cells may take; None for no more than is planned.
        base_image: What the Dockerfile builds on; empty for the one that is found.
        box: One of `BOXES`, or `AUTO`.
    """

    load: Load
    caps: Caps
    levels: tuple[int, ...]
    blocks: int
    warm_up: bool
    refine: bool
    objective: float
    pairs: int
    decision_levels: tuple[int, ...]
    budget_s: float | None
    base_image: str
    box: str = AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What a gate is told.

    Args:
        margins: By metric; one that is not named is not gated.
        pairs: At each decision level, at least 1.
        quick_level: The one level of the quick profile.
    """

    margins: Mapping[str, Margin]
    pairs: int
    quick_level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A comparison as it was asked for.

    Args:
        base, main: Refs; None for the merge-base with the default branch.
        drives: The arm and the environment of each side.
        resume: The folder of a run to go on with, whose own plan then counts instead of all else; None for a new one.
    """

    settings: Settings
    base: str | None
    main: str | None
    drives: Mapping[Side, Drive]
    resume: str | None = None
