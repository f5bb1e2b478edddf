"""The ladder read back: which levels a side passed, and where its knee is."""

import itertools
from collections.abc import Iterator, Sequence

from harness.errors import UsageError
from harness.metrics import Metric
from harness.model import Cell, Knee, Outcome, Phase, Side
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
    """Return a side's valid cells at a level, in the order in which they ran: of all phases that count."""
    return [
        cell
        for cell in cells
        if (cell.slot.side, cell.slot.level) == (side, level)
        and cell.slot.phase.counts
        and cell.outcome is not Outcome.INVALID
    ]


def tried_levels(cells: Sequence[Cell], side: Side | None = None) -> tuple[int, ...]:
    """Return the levels at which a side, or either, has a valid cell that counts; ascending, those between two rungs included."""
    return tuple(
        sorted(
            {
                cell.slot.level
                for cell in cells
                if side in {None, cell.slot.side}
                and cell.slot.phase.counts
                and cell.outcome is not Outcome.INVALID
            }
        )
    )


def passes(here: Sequence[Cell]) -> bool:
    """Whether a side passes a level.

    All of its cells there have to end ok: one that fails is not outvoted by neighbours that were never meant to judge it. Where the level was run
    again on purpose, to refine or to decide, it takes two in three of all its cells.

    Args:
        here: The side's valid cells at that level; none is no pass.
    """
    ok = sum(cell.outcome is Outcome.OK for cell in here)
    if any(cell.slot.phase is not Phase.LADDER for cell in here):
        return 3 * ok >= 2 * len(here)
    return 0 < ok == len(here)


def find_knee(cells: Sequence[Cell], side: Side) -> Knee:
    """Return the bracket in which a side breaks: at the lowest level that it does not pass, see `passes`."""
    last_pass = None
    for level in tried_levels(cells, side):
        here = ladder_cells(cells, side, level)
        if not passes(here):
            failed = next(cell for cell in here if cell.outcome is not Outcome.OK)
            return Knee(
                last_pass=last_pass,
                first_fail=level,
                outcome=failed.outcome,
                reason=failed.reason,
            )
        last_pass = level
    return Knee(last_pass=last_pass, first_fail=None)


def pairs_at(cells: Sequence[Cell], level: int) -> list[tuple[Cell, Cell]]:
    """Return the (base, branch) cells that ran next to each other at a level and both ended ok, of ladder and decision."""
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


def paired_values(pairs: Sequence[tuple[Cell, Cell]], metric: Metric) -> list[tuple[float, float]]:
    """Return what a metric says of each (base, branch) pair, where both say something above zero."""
    read = [
        (metric.read(base.result), metric.read(branch.result))
        for base, branch in pairs
        if base.result is not None and branch.result is not None
    ]
    return [(base, branch) for base, branch in read if base and branch and base > 0 < branch]
