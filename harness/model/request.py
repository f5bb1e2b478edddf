"""What a person asked for: a run, and how a gate decides."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.gate import Margin
from harness.model.nouns import Caps, Drive, Load, Side
from harness.model.plan import Plan

BOXES = ("docker", "cgroup", "watchdog")
"""The kinds of box, the best first."""

AUTO = "auto"
"""The first of `BOXES` that works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run as it was asked for.

    Args:
        drives: The arm and the environment of each side.
        base, main: Refs; None for the merge-base with the default branch.
        base_image: The image that builds stand on; empty for the one that is found.
        box: One of `BOXES`, or `AUTO`.
        resume: The folder of an interrupted run, whose stored plan replaces this one; None for a new run.
    """

    load: Load
    caps: Caps
    plan: Plan
    drives: Mapping[Side, Drive]
    base: str | None = None
    main: str | None = None
    base_image: str = ""
    box: str = AUTO
    resume: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """How a gate decides.

    Args:
        margins: By metric; a metric without one is not gated.
        pairs: At each decision level, at least 1.
        quick_level: The level of the quick profile.
        is_quick: Pairs at one level, and no ladder.
        is_strict: Whether an inconclusive verdict fails.
    """

    margins: Mapping[str, Margin]
    pairs: int
    quick_level: int
    is_quick: bool = False
    is_strict: bool = False
