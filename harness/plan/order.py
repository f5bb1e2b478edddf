"""What all phases share: the ABBA order, the cells before the ladder, and what an invalid cell costs."""

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import structs

from harness.model import Cell, Outcome, Phase, Side, Slot
from harness.plan.plan import Plan

CHECK_LEVEL = 1


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
