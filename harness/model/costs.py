"""What a unit of work costs, counted instead of timed."""

import msgspec

from harness.model.nouns import Arm, Load
from harness.model.stored import Amount, Finite, Natural, Record


class ExactCost(Record, frozen=True, kw_only=True):
    """What one unit of work costs, counted instead of timed: the slope between two small levels.

    Args:
        name: With its unit of work: ``instructions/turn``, ``traced-bytes/session``, ``allocated-blocks/session``,
            ``system-calls/turn``, ``other-calls/turn``.
        base, branch: The slopes; None for a side on which it cannot be counted.
        spread: The largest relative difference of two runs of one side; None where there was one run.
        reproducible: Whether two runs of each side agree to 1 part in 10,000; what does not is not gated.
        detail: Of the base and the branch by name, as system calls have.
        advisory: Why it is shown and not gated although it may repeat; empty for what is gated.
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
        """Whether a difference between the sides is one of the change, and not of chance or of steps."""
        is_whole = self.base is not None and self.branch is not None
        return is_whole and self.reproducible and not self.advisory


class ExactCosts(Record, frozen=True, kw_only=True):
    """All that was counted of both sides.

    Args:
        arm, load: What was driven.
        base_arm: What the base drove, where that is another arm; else None.
        costs: In the order in which they are shown.
        levels: The two levels of each counter, by the counter's name.
        missing: A sentence for each counter that is not here, with how to get it, and for each side that cannot be counted.
        confinement: How the counted processes were held; it says ``unconfined`` where they were not.
        python: The interpreter that was counted.
        wall_s: How long all of it took.
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
