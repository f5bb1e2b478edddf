"""Where exactly a side breaks: its bracket confirmed by repeats, and narrowed to within 10 %."""

import math
from collections.abc import Callable, Sequence

from harness.analysis.levels import (
    Capacity,
    find_capacity,
    find_knee,
    is_within,
    measured_cells,
    passes,
    tried_levels,
)
from harness.model.cells import Cell, Knee, Slot
from harness.model.nouns import Phase, Side
from harness.model.plan import Plan
from harness.plan.ladder import has_ended, in_phases

TOLERANCE = 1.10
"""How far apart the ends of a refined bracket may be, as a ratio."""


def next_probe(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next single cell that confirms or narrows a side's brackets, or None when there is nothing to find out.

    A side has two brackets, of its knee and of its capacity. Their ends are confirmed first: a level is run until two of three cells agree, those of the
    ladder included. With `plan.refine` each bracket is then halved, in ratio, until its ends are within 10 %. Without it, and with pairs
    to come, the ends are confirmed where the sides differ, so that no chance failure is taken for a knee that has moved. A side that
    fails at the lowest level has no bracket to narrow. Decision pairs come later and change nothing here. The sides take turns.

    Args:
        plan: What is to be run.
        done: What has been run, in order, but the checks; the ladder has been climbed.
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


def _differ(plan: Plan, cells: Sequence[Cell]) -> bool:
    knees = [find_knee(cells, side) for side in plan.sides]
    capacities = {find_capacity(cells, side, plan.objective) for side in plan.sides}
    return len({(knee.last_pass, knee.first_fail) for knee in knees}) > 1 or len(capacities) > 1


def _by_turns(plan: Plan, cells: Sequence[Cell]) -> list[Side]:
    last = next(iter(in_phases(cells[-1:], Phase.REFINE)), None)
    return sorted(plan.sides, key=lambda side: last is not None and side is last.slot.side)


def _level_to_probe(plan: Plan, cells: Sequence[Cell], side: Side) -> int | None:
    knee, capacity = find_knee(cells, side), find_capacity(cells, side, plan.objective)
    unsettled = _unsettled(plan, cells, side, knee, capacity)
    if unsettled is not None:
        return unsettled
    if knee.first_fail is None:  # then repeats may have shown that the side was stopped too early
        higher = [level for level in plan.levels if level > (knee.last_pass or 0)]
        if higher:
            return higher[0]
    if not plan.refine:
        return None
    between = _between(knee.last_pass, knee.first_fail)
    return between if between is not None else _between(capacity.within, capacity.beyond)


def _unsettled(
    plan: Plan, cells: Sequence[Cell], side: Side, knee: Knee, capacity: Capacity
) -> int | None:
    """Return a level that has to be run again before it can be said what it does."""
    probed = tried_levels(in_phases(cells, Phase.REFINE), side)
    questions: tuple[tuple[tuple[int, ...], Callable[[Cell], bool]], ...] = (
        ((*probed, *_ends(knee.last_pass, knee.first_fail)), lambda cell: passes([cell])),
        (
            _ends(capacity.within, capacity.beyond),
            lambda cell: is_within([cell], plan.objective),
        ),
    )
    for levels, is_good in questions:
        for level in levels:
            if not _is_settled(measured_cells(cells, side, level), is_good):
                return level
    return None


def _ends(low: int | None, high: int | None) -> tuple[int, ...]:
    """Return the ends of a bracket that are known; where nothing failed there is none."""
    return () if high is None else (high,) if low is None else (high, low)


def _is_settled(here: Sequence[Cell], is_good: Callable[[Cell], bool]) -> bool:
    """Whether two cells agree, after a repeat where any disagree.

    One timeout settles a level at which no cell was good: the side had hundreds of times what a session takes, and a second would cost as
    long to say the same. Where a cell was good, a timeout may have been chance, and a third one decides.
    """
    bad = [cell for cell in here if not is_good(cell)]
    good = len(here) - len(bad)
    if good and bad:
        return max(good, len(bad)) > 1 and bool(in_phases(here, Phase.REFINE))
    return len(here) > 1 or any(cell.outcome.is_timeout for cell in bad)


def _between(low: int | None, high: int | None) -> int | None:
    """Return a readable level near the geometric mean of a bracket, or None when it is open or its ends are close enough."""
    if low is None or high is None or high <= TOLERANCE * low or high - low < 2:
        return None
    middle = math.sqrt(low * high)
    step = _round_step(min(middle - low, high - middle) / 10)
    return round(middle / step) * step


def _round_step(most: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20, … that is no more than `most`, and at least 1."""
    power = 1
    while power * 10 <= most:
        power *= 10
    return next((power * factor for factor in (5, 2) if power * factor <= most), power)
