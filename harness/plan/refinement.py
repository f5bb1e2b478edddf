"""The refinement: cells that confirm and narrow the bracket of a side."""

import math
from collections.abc import Callable, Sequence

from harness.analysis.levels import (
    find_capacity,
    find_knee,
    is_within,
    measured_cells,
    passes,
    tried_levels,
)
from harness.model.cells import Cell, Slot
from harness.model.nouns import Phase, Side
from harness.model.plan import Plan
from harness.plan.ladder import has_ended, in_phases

TOLERANCE = 1.10
"""Largest ratio between the ends of a refined bracket."""

Bracket = tuple[int | None, int | None]
"""The highest level that holds and the lowest that does not; None if unknown."""


def next_probe(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next cell that confirms or narrows a bracket, or None at the end.

    A side has two brackets, of its knee and of its capacity. First their ends are confirmed: a level is repeated until
    two of three cells agree, cells of the ladder included. With `plan.refine` each bracket is then halved, in ratio,
    until its ends are within 10 %. Without it, the ends are confirmed only if the sides differ and pairs follow: a
    chance failure must not look like a moved knee. A side that fails at the lowest level has no bracket. The sides
    alternate.
    """
    cells = in_phases(done, Phase.LADDER, Phase.REFINE)
    if not plan.refine and not (plan.decides and _differ(plan, cells)):
        return None
    for side in _by_turns(plan, cells):
        level = None if has_ended(done, side) else _level_to_probe(plan, cells, side)
        if level is not None:
            repeats = in_phases(measured_cells(cells, side, level), Phase.REFINE)
            return Slot(side=side, level=level, block=len(repeats), pair=None, phase=Phase.REFINE)
    return None


def _brackets(plan: Plan, cells: Sequence[Cell], side: Side) -> tuple[Bracket, Bracket]:
    """Return the brackets of a side's knee and of its capacity."""
    knee, capacity = find_knee(cells, side), find_capacity(cells, side, plan.objective)
    return (knee.last_pass, knee.first_fail), (capacity.within, capacity.beyond)


def _differ(plan: Plan, cells: Sequence[Cell]) -> bool:
    return len({_brackets(plan, cells, side) for side in plan.sides}) > 1


def _by_turns(plan: Plan, cells: Sequence[Cell]) -> list[Side]:
    last = next(iter(in_phases(cells[-1:], Phase.REFINE)), None)
    return sorted(plan.sides, key=lambda side: last is not None and side is last.slot.side)


def _level_to_probe(plan: Plan, cells: Sequence[Cell], side: Side) -> int | None:
    knee, capacity = _brackets(plan, cells, side)
    unsettled = _unsettled(plan, cells, side)
    if unsettled is not None:
        return unsettled
    last_pass, first_fail = knee
    if first_fail is None:  # repeats may have outvoted the failure that stopped the side
        higher = [level for level in plan.levels if level > (last_pass or 0)]
        if higher:
            return higher[0]
    if not plan.refine:
        return None
    between = _between(knee)
    return between if between is not None else _between(capacity)


def _unsettled(plan: Plan, cells: Sequence[Cell], side: Side) -> int | None:
    """Return a level whose cells do not agree yet."""
    knee, capacity = _brackets(plan, cells, side)
    probed = tried_levels(in_phases(cells, Phase.REFINE), side)
    for level in (*probed, *_ends(knee)):
        if not _is_settled(measured_cells(cells, side, level), lambda cell: passes([cell])):
            return level
    for level in _ends(capacity):
        here = measured_cells(cells, side, level)
        if not _is_settled(here, lambda cell: is_within([cell], plan.objective)):
            return level
    return None


def _ends(bracket: Bracket) -> tuple[int, ...]:
    """Return the known ends of a bracket, upper end first; none without a failure."""
    low, high = bracket
    return () if high is None else (high,) if low is None else (high, low)


def _is_settled(here: Sequence[Cell], is_good: Callable[[Cell], bool]) -> bool:
    """Return whether two cells agree, after a repeat if any disagree.

    A timeout settles a level without good cells: a second one would take as long. If another cell was good, the
    timeout may be chance, and a third cell decides.
    """
    bad = [cell for cell in here if not is_good(cell)]
    good = len(here) - len(bad)
    if good and bad:
        return max(good, len(bad)) > 1 and bool(in_phases(here, Phase.REFINE))
    return len(here) > 1 or any(cell.outcome.is_timeout for cell in bad)


def _between(bracket: Bracket) -> int | None:
    """Return a round level within a bracket; None if the bracket is narrow or open."""
    low, high = bracket
    if low is None or high is None or high <= TOLERANCE * low or high - low < 2:
        return None
    middle = math.sqrt(low * high)
    step = _round_step(min(middle - low, high - middle) / 10)
    return round(middle / step) * step


def _round_step(most: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20, … up to `most`, and at least 1."""
    power = 1
    while power * 10 <= most:
        power *= 10
    return next((power * factor for factor in (5, 2) if power * factor <= most), power)
