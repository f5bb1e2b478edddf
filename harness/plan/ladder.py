"""The ladder: ABBA blocks, level by level, until a side breaks."""

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import structs

from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan

CHECK_LEVEL = 1


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


def check_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return the cells that prove, before all others, that each side can run the probe at all."""
    return tuple(
        Slot(side=side, level=CHECK_LEVEL, block=0, pair=None, phase=Phase.CHECK)
        for side in plan.sides
    )


def warm_up_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return each side's first cell, at the lowest level, whose numbers are thrown away.

    It pays for what only a first cell pays for: images and interpreters that no cache holds yet. How it ends says nothing
    about its side, so a failed one stops nobody.
    """
    if not plan.warm_up:
        return ()
    return tuple(
        Slot(side=side, level=level, block=0, pair=None, phase=Phase.WARM_UP)
        for level in plan.levels[:1]
        for side in plan.sides
    )


def next_warm_up(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next warm-up, or None when each side has had its own."""
    warm = {cell.slot.side for cell in in_phases(done, Phase.WARM_UP)}
    return next((slot for slot in warm_up_slots(plan) if slot.side not in warm), None)


def pair_slots(plan: Plan, level: int, number: int, phase: Phase) -> tuple[Slot, ...]:
    """Return the two cells of a pair in their order.

    ABBA, then BAAB: neither side is first more often, in a block, over the blocks of a level, or over the levels.

    Args:
        plan: Whose ladder places the level.
        level: Concurrency C.
        number: Of the pair, over all of this level's pairs, from 0; two make a block.
        phase: What it is run for.
    """
    block, pair = divmod(number, 2)
    is_flipped = (bisect_left(plan.levels, level) + block + pair) % 2 == 1
    first = Side.BRANCH if is_flipped else Side.BASE
    return tuple(
        Slot(side=side, level=level, block=block, pair=pair, phase=phase)
        for side in (first, first.other)
    )


def run_again(done: Sequence[Cell]) -> Slot | None:
    """Return the slot of the last cell once more, if that cell was invalid for the first time."""
    if done and done[-1].outcome is Outcome.INVALID and done[-1].slot.attempt == 0:
        return structs.replace(done[-1].slot, attempt=1)
    return None


def has_ended(cells: Sequence[Cell], side: Side) -> bool:
    """Whether a cell of a side was invalid twice, which ends that side: its host lets nothing be measured."""
    return any(
        cell.slot.side is side and cell.outcome is Outcome.INVALID and cell.slot.attempt > 0
        for cell in cells
    )


def in_phases(cells: Sequence[Cell], *phases: Phase) -> list[Cell]:
    """Return the cells of some phases, in their order."""
    return [cell for cell in cells if cell.slot.phase in phases]
