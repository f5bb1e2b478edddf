"""The ladder: ABBA blocks, level by level, until a side breaks."""

from collections.abc import Sequence

from harness.model import Cell, Outcome, Phase, Side, Slot
from harness.plan.order import has_ended, in_phases, pair_slots
from harness.plan.plan import Plan


def next_rung(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the ladder's next cell, or None when it has been climbed.

    A side stops at the first level with a failed cell. The block in which that happens is finished, unless the cell ran into its time limit.
    The other side then goes on with one cell a level.

    Args:
        plan: What is to be run.
        done: What has been run, in order, but the checks.
    """
    warm_ups = in_phases(done, Phase.WARM_UP)
    sides = [side for side in plan.sides if not has_ended(warm_ups, side)]
    ladder = in_phases(done, Phase.LADDER)
    for level in plan.levels:
        for block in range(max(1, plan.blocks)):
            slot = _next_of_block(plan, ladder, level, block, sides)
            if slot is not None:
                return slot
    return None


def rungs(plan: Plan) -> list[Slot]:
    """Return all cells of the ladder in order, as they are while none fails."""
    return [
        slot
        for level in plan.levels
        for block in range(max(1, plan.blocks))
        for slot in _block_slots(plan, level, block, plan.sides)
    ]


def _next_of_block(
    plan: Plan, ladder: Sequence[Cell], level: int, block: int, sides: Sequence[Side]
) -> Slot | None:
    before = [cell for cell in ladder if (cell.slot.level, cell.slot.block) < (level, block)]
    alive = [side for side in sides if not _has_stopped(before, side)]
    here = [cell for cell in ladder if (cell.slot.level, cell.slot.block) == (level, block)]
    if len(alive) < len(plan.sides) and block > 0:
        return None  # one cell a level is enough for the side that is left
    ran = {(cell.slot.side, cell.slot.pair) for cell in here}
    for slot in _block_slots(plan, level, block, alive):
        if (slot.side, slot.pair) not in ran and not _is_spared(here, slot, plan):
            return slot
    return None


def _block_slots(plan: Plan, level: int, block: int, alive: Sequence[Side]) -> list[Slot]:
    if len(plan.sides) == 1 or len(alive) < len(plan.sides):
        return [Slot(side=side, level=level, block=block, pair=None) for side in alive]
    pairs = 2 if plan.blocks else 1
    return [
        slot
        for pair in range(pairs)
        for slot in pair_slots(plan, level, 2 * block + pair, Phase.LADDER)
    ]


def _has_stopped(cells: Sequence[Cell], side: Side) -> bool:
    failed = any(
        cell.slot.side is side and cell.outcome not in {Outcome.OK, Outcome.INVALID}
        for cell in cells
    )
    return failed or has_ended(cells, side)


def _is_spared(here: Sequence[Cell], slot: Slot, plan: Plan) -> bool:
    """After a timeout the side runs no more, and the other needs but one cell of the block."""
    timed_out = {cell.slot.side for cell in here if cell.outcome.is_timeout}
    if slot.side in timed_out:
        return True
    if len(plan.sides) > 1 and slot.side.other in timed_out:
        return any(cell.slot.side is slot.side for cell in here)
    return False
