"""The order of cells: ABBA blocks up the ladder, as a pure function of what has happened so far."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Cell, Outcome, Side, Slot

CHECK_LEVEL = 1
CHECK_BLOCK = -1
_PATTERN = (Side.BASE, Side.BRANCH, Side.BRANCH, Side.BASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be run.

    Args:
        levels: Ascending concurrencies.
        blocks: ABBA blocks a level; each is two pairs.
        sides: Both for a comparison, one for a ramp.
    """

    levels: tuple[int, ...]
    blocks: int
    sides: tuple[Side, ...]


def check_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return the cells that prove, before the ramp, that each side can run the probe at all."""
    return tuple(
        Slot(side=side, level=CHECK_LEVEL, block=CHECK_BLOCK, pair=None) for side in plan.sides
    )


def next_slot(plan: Plan, cells: Sequence[Cell]) -> Slot | None:
    """Return the cell to run next, or None when the ladder is done.

    A side stops at the first level with a failed cell. The block in which that happens is finished, unless the cell ran into its time limit.
    The other side then goes on with one cell a level. An invalid cell is run once more; a side with a slot that was invalid twice stops as well.

    Args:
        plan: What is to be run.
        cells: What has been run, in order.
    """
    done = [cell for cell in cells if cell.slot.block != CHECK_BLOCK]
    if done and done[-1].outcome is Outcome.INVALID and done[-1].slot.attempt == 0:
        last = done[-1].slot
        return Slot(side=last.side, level=last.level, block=last.block, pair=last.pair, attempt=1)
    for position, level in enumerate(plan.levels):
        for block in range(plan.blocks):
            slot = _next_of_block(plan, done, level, block, position)
            if slot is not None:
                return slot
    return None


def planned_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return every cell in order, as it will be when none fails."""
    slots = list(check_slots(plan))
    for position, level in enumerate(plan.levels):
        for block in range(plan.blocks):
            slots += _block_slots(plan, level, block, position, plan.sides)
    return tuple(slots)


def _next_of_block(
    plan: Plan, done: Sequence[Cell], level: int, block: int, position: int
) -> Slot | None:
    before = [cell for cell in done if (cell.slot.level, cell.slot.block) < (level, block)]
    alive = [side for side in plan.sides if not _has_stopped(before, side)]
    here = [cell for cell in done if (cell.slot.level, cell.slot.block) == (level, block)]
    if len(alive) < len(plan.sides) and block > 0:
        return None  # one cell a level is enough for the side that is left
    slots = _block_slots(plan, level, block, position, alive)
    ran = {(cell.slot.side, cell.slot.pair) for cell in here}
    for slot in slots:
        if (slot.side, slot.pair) not in ran and not _is_spared(here, slot, plan):
            return slot
    return None


def _block_slots(
    plan: Plan, level: int, block: int, position: int, alive: Sequence[Side]
) -> list[Slot]:
    if len(plan.sides) == 1 or len(alive) < len(plan.sides):
        return [Slot(side=side, level=level, block=block, pair=None) for side in alive]
    flip = (position + block) % 2 == 1  # ABBA, then BAAB: neither side is always first
    order = [side.other if flip else side for side in _PATTERN]
    return [
        Slot(side=side, level=level, block=block, pair=index // 2)
        for index, side in enumerate(order)
    ]


def _has_stopped(cells: Sequence[Cell], side: Side) -> bool:
    return any(_stops(cell) for cell in cells if cell.slot.side is side)


def _stops(cell: Cell) -> bool:
    if cell.outcome is Outcome.INVALID:
        return cell.slot.attempt > 0
    return cell.outcome is not Outcome.OK


def _is_spared(here: Sequence[Cell], slot: Slot, plan: Plan) -> bool:
    """After a timeout the side runs no more, and the other needs but one cell of the block."""
    timed_out = {cell.slot.side for cell in here if cell.outcome.is_timeout}
    if slot.side in timed_out:
        return True
    if len(plan.sides) > 1 and slot.side.other in timed_out:
        return any(cell.slot.side is slot.side for cell in here)
    return False
