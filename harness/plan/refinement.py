"""Where exactly a side breaks: its bracket confirmed by repeats, and narrowed to within 10 %."""

import math
from collections.abc import Iterator, Sequence

from harness.model import Cell, Outcome, Phase, Side, Slot
from harness.plan.order import has_ended, in_phases
from harness.plan.plan import Plan
from harness.ramp import find_knee, ladder_cells, tried_levels

TOLERANCE = 1.10
"""How far apart the ends of a refined bracket may be, as a ratio."""


def next_probe(plan: Plan, done: Sequence[Cell]) -> Slot | None:
    """Return the next single cell that confirms or narrows a side's bracket, or None when there is nothing to find out.

    The ends of a bracket are confirmed first: a level is run until two of three cells agree, those of the ladder included. With `plan.refine` the
    bracket is then halved, in ratio, until its ends are within 10 %. Without it, and with pairs to come, the ends are confirmed where
    the sides differ, so that no chance failure is taken for a knee that has moved. A side that fails at the lowest level has no bracket to narrow.
    Decision pairs come later and change nothing here. The sides take turns.

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
            repeats = in_phases(ladder_cells(cells, side, level), Phase.REFINE)
            return Slot(side=side, level=level, block=len(repeats), pair=None, phase=Phase.REFINE)
    return None


def _differ(plan: Plan, cells: Sequence[Cell]) -> bool:
    knees = [find_knee(cells, side) for side in plan.sides]
    return len({(knee.last_pass, knee.first_fail) for knee in knees}) > 1


def _by_turns(plan: Plan, cells: Sequence[Cell]) -> list[Side]:
    last = next(iter(in_phases(cells[-1:], Phase.REFINE)), None)
    return sorted(plan.sides, key=lambda side: last is not None and side is last.slot.side)


def _level_to_probe(plan: Plan, cells: Sequence[Cell], side: Side) -> int | None:
    for level in _to_confirm(cells, side):
        if not _is_settled(ladder_cells(cells, side, level)):
            return level
    knee = find_knee(cells, side)
    if knee.first_fail is None:  # repeats have shown that the side was stopped too early
        higher = [level for level in plan.levels if level > (knee.last_pass or 0)]
        return higher[0] if higher else None
    if plan.refine and knee.last_pass is not None:
        return _between(knee.last_pass, knee.first_fail)
    return None


def _to_confirm(cells: Sequence[Cell], side: Side) -> Iterator[int]:
    yield from tried_levels(in_phases(cells, Phase.REFINE), side)
    knee = find_knee(cells, side)
    if knee.first_fail is not None:
        yield knee.first_fail
        if knee.last_pass is not None:
            yield knee.last_pass


def _is_settled(here: Sequence[Cell]) -> bool:
    """Whether two cells agree, after a repeat where any disagree.

    One timeout settles a level that no cell has passed: the side had hundreds of times what a session takes, and a second would cost as
    long to say the same. Where a cell did pass, a timeout may have been chance, and a third one decides.
    """
    failed = [cell for cell in here if cell.outcome is not Outcome.OK]
    ok = len(here) - len(failed)
    if ok and failed:
        return max(ok, len(failed)) > 1 and bool(in_phases(here, Phase.REFINE))
    return len(here) > 1 or any(cell.outcome.is_timeout for cell in failed)


def _between(low: int, high: int) -> int | None:
    """Return a readable level near the geometric mean of a bracket, or None when its ends are close enough."""
    if high <= TOLERANCE * low or high - low < 2:
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
