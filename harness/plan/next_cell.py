"""The phases in their order, and the cells that are certain before the first has run."""

from collections.abc import Sequence

from harness.model.cells import Cell, Slot
from harness.model.nouns import Phase
from harness.model.plan import Plan
from harness.plan.decision import next_pair
from harness.plan.ladder import (
    check_slots,
    next_rung,
    next_warm_up,
    run_again,
    rungs,
    warm_up_slots,
)
from harness.plan.refinement import next_probe


def next_slot(plan: Plan, cells: Sequence[Cell]) -> Slot | None:
    """Return the cell to run next, or None when all is done.

    The warm-up, the ladder, the refinement, the decision; a phase begins when the one before it has nothing left. In all of them an invalid cell
    is run once more, at once and in its place, and a side of which one was invalid twice ends.

    Args:
        plan: What is to be run.
        cells: What has been run, in order; the checks are passed over.
    """
    done = [cell for cell in cells if cell.slot.phase is not Phase.CHECK]
    again = run_again(done)
    if again is not None:
        return again
    for following in (next_warm_up, next_rung, next_probe, next_pair):
        found = following(plan, done)
        if found is not None:
            return found
    return None


def planned_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return every cell that is certain, in order, as it will be when none fails: those of refinement and decision follow from them."""
    return (*check_slots(plan), *warm_up_slots(plan), *rungs(plan))
