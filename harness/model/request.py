"""The request of a caller: a run, and the options of a gate."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.gate import Margin
from harness.model.nouns import Caps, Drive, Load, Side
from harness.model.plan import Plan

BOXES = ("docker", "cgroup", "watchdog")
"""The kinds of box, best first."""

AUTO = "auto"
"""The first of `BOXES` that works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request of a run.

    Args:
        base, main: Refs; None for the merge-base with the default branch.
        base_image: The image under the builds; empty to find one.
        box: One of `BOXES`, or `AUTO`.
        resume: Folder of an interrupted run, whose stored plan replaces this one; None for a new run.
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
    """The options of a gate.

    Args:
        margins: By metric; a metric without a margin is not gated.
        pairs: Per decision level, at least 1.
        is_quick: Run pairs at `quick_level` only, without a ladder.
        is_strict: Fail if the verdict is inconclusive.
    """

    margins: Mapping[str, Margin]
    pairs: int
    quick_level: int
    is_quick: bool = False
    is_strict: bool = False
