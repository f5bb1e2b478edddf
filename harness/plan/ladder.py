"""The ladder: ABBA blocks, level by level, until a side breaks."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from msgspec import structs

from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan


def check_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return a cell per side, at C=1, that proves that the side can run the probe."""
    return tuple(
        Slot(side=side, level=1, block=0, pair=None, phase=Phase.CHECK) for side in plan.sides
    )


def warm_up_slots(plan: Plan) -> tuple[Slot, ...]:
    """Return a cell per side, at the lowest level, whose numbers are discarded.

    It fills the caches of images and interpreters. Its outcome does not stop the side.
    """
    return tuple(
        Slot(side=side, level=level, block=0, pair=None, phase=Phase.WARM_UP)
        for level in (plan.levels[:1] if plan.warm_up else ())
        for side in plan.sides
    )


def next_warm_up(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next warm-up, or None when each side is warm."""
    warm = {cell.slot.side for cell in in_phases(done, Phase.WARM_UP)}
    return next((slot for slot in warm_up_slots(plan) if slot.side not in warm), None)


def next_rung(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next cell of the ladder, or None at its end.

    A side stops at the first level with a failed cell. It finishes the block of that cell, except after a timeout.
    The other side goes on with one cell per level.
    """
    warm_ups = in_phases(done, Phase.WARM_UP)
    sides = [side for side in plan.sides if not has_ended(warm_ups, side)]
    ladder = in_phases(done, Phase.LADDER)
    for level, block in _places(plan):
        before = [cell for cell in ladder if (cell.slot.level, cell.slot.block) < (level, block)]
        here = [cell for cell in ladder if (cell.slot.level, cell.slot.block) == (level, block)]
        alive = [side for side in sides if not _has_stopped(before, side)]
        if len(alive) < len(plan.sides) and block > 0:
            continue  # a single side runs one cell per level
        ran = {(cell.slot.side, cell.slot.pair) for cell in here}
        for slot in _block_slots(plan, level, block, alive):
            if (slot.side, slot.pair) not in ran and not _is_spared(here, slot.side):
                return slot
    return None


def rungs(plan: Plan) -> list[Slot]:
    """Return all cells of the ladder in order, provided that none fails."""
    return [
        slot
        for level, block in _places(plan)
        for slot in _block_slots(plan, level, block, plan.sides)
    ]


def pair_slots(plan: Plan, level: int, number: int, phase: Phase) -> tuple[Slot, ...]:
    """Return the two cells of a pair in their order.

    Pairs are numbered from 0 within a level; two make a block. The order is ABBA, then BAAB: neither side comes first
    more often within a block, a level, or the ladder.
    """
    block, pair = divmod(number, 2)
    is_flipped = (bisect_left(plan.levels, level) + block + pair) % 2 == 1
    first = Side.BRANCH if is_flipped else Side.BASE
    return tuple(
        Slot(side=side, level=level, block=block, pair=pair, phase=phase)
        for side in (first, first.other)
    )


def retry_slot(done: Sequence[Cell]) -> Slot | None:
    """Return the retry of the last cell if that was invalid at its first attempt."""
    if done and done[-1].outcome is Outcome.INVALID and done[-1].slot.attempt == 0:
        return structs.replace(done[-1].slot, attempt=1)
    return None


def has_ended(cells: Sequence[Cell], side: Side) -> bool:
    """Return whether a cell of a side was invalid twice, which ends the side."""
    return any(
        cell.slot.side is side and cell.outcome is Outcome.INVALID and cell.slot.attempt > 0
        for cell in cells
    )


def in_phases(cells: Sequence[Cell], *phases: Phase) -> list[Cell]:
    """Return the cells of some phases, in their order."""
    return [cell for cell in cells if cell.slot.phase in phases]


def _places(plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield level and block, in the order of the ladder."""
    return ((level, block) for level in plan.levels for block in range(max(1, plan.blocks)))


def _block_slots(plan: Plan, level: int, block: int, alive: Sequence[Side]) -> list[Slot]:
    if len(plan.sides) == 1 or len(alive) < len(plan.sides):
        return [Slot(side=side, level=level, block=block, pair=None) for side in alive]
    return [
        slot
        for pair in range(2 if plan.blocks else 1)
        for slot in pair_slots(plan, level, 2 * block + pair, Phase.LADDER)
    ]


def _has_stopped(cells: Sequence[Cell], side: Side) -> bool:
    failed = any(
        cell.slot.side is side and cell.outcome not in {Outcome.OK, Outcome.INVALID}
        for cell in cells
    )
    return failed or has_ended(cells, side)


def _is_spared(here: Sequence[Cell], side: Side) -> bool:
    """Return whether timeouts end a side's part in a block.

    A side with a timeout runs no more. The other side needs only one cell of the block.
    """
    timed_out = {cell.slot.side for cell in here if cell.outcome.is_timeout}
    has_run = any(cell.slot.side is side for cell in here)
    return side in timed_out or (side.other in timed_out and has_run)
