"""The ladder read back: which levels a side passed, and where its knee is."""

import itertools
from collections.abc import Iterator, Sequence

from harness.errors import UsageError
from harness.model import Cell, Knee, Outcome, Side
from harness.plan import CHECK_BLOCK
from harness.units import parse_whole

DEFAULT_LEVELS = (500, 1000, 2000, 4000, 8000)


def parse_levels(texts: Sequence[str], *, where: str) -> tuple[int, ...]:
    """Read a ladder of concurrencies.

    Args:
        texts: A level each; ``500..4000`` stands for doubling from the one up to the other.
        where: The flag that they came from, for the message.

    Returns:
        Ascending positive integers, at least one.

    Raises:
        UsageError: One is not a positive whole number, or they do not ascend.
    """
    levels = tuple(level for text in texts for level in _doubling(text, where=where))
    if not levels or any(low >= high for low, high in itertools.pairwise(levels)):
        msg = f"{where}: {','.join(texts) or 'nothing'} does not ascend"
        raise UsageError(msg, hint="write levels as in 500,1000,2000 or 500..2000")
    return levels


def _doubling(text: str, *, where: str) -> Iterator[int]:
    first, dots, last = text.partition("..")
    level = parse_whole(first, where=where)
    top = parse_whole(last, where=where) if dots else level
    while level <= top:
        yield level
        level *= 2


def ladder_cells(cells: Sequence[Cell], side: Side, level: int) -> list[Cell]:
    """Return a side's valid cells at a level, in the order in which they ran, without the check before the ramp."""
    return [
        cell
        for cell in cells
        if (cell.slot.side, cell.slot.level) == (side, level)
        and cell.slot.block != CHECK_BLOCK
        and cell.outcome is not Outcome.INVALID
    ]


def find_knee(cells: Sequence[Cell], side: Side, levels: Sequence[int]) -> Knee:
    """Return the bracket in which a side breaks.

    A level passes when all its cells end ok, and fails with the first that does not.
    """
    last_pass = None
    for level in levels:
        here = ladder_cells(cells, side, level)
        failed = next((cell for cell in here if cell.outcome is not Outcome.OK), None)
        if failed is not None:
            return Knee(
                last_pass=last_pass,
                first_fail=level,
                outcome=failed.outcome,
                reason=failed.reason,
            )
        if here:
            last_pass = level
    return Knee(last_pass=last_pass, first_fail=None)


def pairs_at(cells: Sequence[Cell], level: int) -> list[tuple[Cell, Cell]]:
    """Return the (base, branch) cells that ran next to each other at a level and both ended ok."""
    by_place: dict[tuple[int, int], dict[Side, Cell]] = {}
    for side in Side:
        for cell in ladder_cells(cells, side, level):
            if cell.slot.pair is not None and cell.outcome is Outcome.OK:
                by_place.setdefault((cell.slot.block, cell.slot.pair), {})[side] = cell
    return [
        (sides[Side.BASE], sides[Side.BRANCH])
        for _, sides in sorted(by_place.items())
        if len(sides) == len(Side)
    ]
