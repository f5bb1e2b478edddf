"""Exact costs: counted, not timed."""

import msgspec

from harness.model.nouns import Arm, Load
from harness.model.stored import Amount, Finite, Natural, Record


class ExactCost(Record, frozen=True, kw_only=True):
    """The counted cost of a unit of work: the slope between two small levels.

    Args:
        name: Cost and unit of work, such as ``instructions/turn``.
        base, branch: The slopes; None for a side that cannot be counted.
        spread: The largest relative difference between two runs of one side; None after a single run.
        reproducible: True if two runs of each side agree to 1 part in 10,000.
        detail: Base and branch by name, for example by system call.
        advisory: The reason why the cost is never gated; empty otherwise.
    """

    name: str
    base: Finite | None
    branch: Finite | None
    spread: Amount | None
    reproducible: bool
    detail: dict[str, tuple[Finite, Finite]] = msgspec.field(default_factory=dict)
    advisory: str = ""

    @property
    def is_gated(self) -> bool:
        """True if a difference between the sides cannot be due to chance."""
        is_whole = self.base is not None and self.branch is not None
        return is_whole and self.reproducible and not self.advisory


class ExactCosts(Record, frozen=True, kw_only=True):
    """The counted costs of both sides.

    Args:
        costs: In display order.
        levels: The two levels of each counter, by name.
        missing: A sentence for each counter that is not installed, and for each side that cannot be counted.
        confinement: Isolation of the counted processes, or ``unconfined``.
        python: The counted interpreter.
        base_arm: The arm of the base if it differs; else None.
    """

    arm: Arm
    load: Load
    costs: tuple[ExactCost, ...]
    levels: dict[str, tuple[Natural, Natural]]
    missing: tuple[str, ...]
    confinement: str
    python: str
    wall_s: Amount
    base_arm: Arm | None = None
