"""The phases of a run in their order, and the cells that are certain in advance."""

from collections.abc import Sequence

from harness.model.cells import Cell, Slot
from harness.model.nouns import Phase
from harness.model.plan import Plan
from harness.plan.decision import next_pair
from harness.plan.ladder import (
    check_slots,
    next_rung,
    next_warm_up,
    retry_slot,
    rungs,
    warm_up_slots,
)
from harness.plan.refinement import next_probe


def next_slot(plan: Plan, cells: Sequence[Cell]) -> Slot | None:
    """Return the cell to run next, or None at the end of the run.

    The phases are warm-up, ladder, refinement and decision; each starts when the one before is finished. An invalid
    cell is retried at once in its slot. A side ends after a second invalid attempt. Checks among the cells are ignored.
    """
    done = [cell for cell in cells if cell.slot.phase is not Phase.CHECK]
    retry = retry_slot(done)
    if retry is not None:
        return retry
    for next_of_phase in (next_warm_up, next_rung, next_probe, next_pair):
        slot = next_of_phase(plan, done)
        if slot is not None:
            return slot
    return None


def planned_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return checks, warm-ups and ladder in order, provided that no cell fails."""
    return (*check_slots(plan), *warm_up_slots(plan), *rungs(plan))
