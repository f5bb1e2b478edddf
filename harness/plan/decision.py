"""The pairs that a decision rests on: at which levels, how many, and in which order."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.levels import (
    find_capacity,
    find_knee,
    measured_cells,
    paired_values,
    pairs_at,
    passes,
)
from harness.analysis.stats.ratios import change_of, deviation, log_ratios
from harness.analysis.stats.tests import smallest_effect
from harness.model.cells import Cell, Slot
from harness.model.metrics import ESTIMATED
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.ladder import has_ended, in_phases, pair_slots

OVERHEAD_S = 1.0
"""What a container costs beside its cell's own time: made, started, stopped."""


def decision_levels(plan: Plan, cells: Sequence[Cell]) -> tuple[int, ...]:
    """Return the levels at which pairs decide, ascending, as ladder and refinement show them.

    They are two where they do not coincide. At the highest level of the ladder that is no more than half of the base's capacity both sides are at ease, so that
    a small difference of cost shows; at the last level that both pass they are not, so that one of latency does. Levels that
    were named are taken as they are, as far as they lie below both knees.
    """
    if not plan.decides or any(has_ended(cells, side) for side in plan.sides):
        return ()
    climbed = in_phases(cells, Phase.LADDER, Phase.REFINE)
    fails = [find_knee(climbed, side).first_fail for side in plan.sides]
    held = [
        level
        for level in plan.decision_levels or plan.levels
        if all(fail is None or level < fail for fail in fails)
    ]
    if plan.decision_levels:
        return tuple(held)
    both = [
        level
        for level in held
        if all(passes(measured_cells(climbed, side, level)) for side in plan.sides)
    ]
    if not both:
        return ()
    within = find_capacity(climbed, Side.BASE, plan.objective).within or 0
    at_ease = max((level for level in both if 2 * level <= within), default=both[0])
    return tuple(sorted({at_ease, both[-1]}))


def next_pair(plan: Plan, cells: Sequence[Cell]) -> Slot | None:
    """Return the next cell of a decision pair, or None when there are enough.

    The levels take turns, block by block, until each has the plan's pairs; those of the ladder count, and the first pair completes the block that a scout began. A level
    with a failed cell has its block finished, after a timeout only its pair, and gets no more. With a budget, whole rounds are left out where they do
    not fit; once the plan's pairs are there, blocks follow where they show most a second.

    Args:
        plan: What is to be run.
        cells: All that has been run, in order; ladder and refinement are done.
    """
    levels = decision_levels(plan, cells)
    for level in levels:
        slot = _unfinished(plan, cells, level)
        if slot is not None:
            return slot
    open_levels = [level for level in levels if not _has_failed(cells, level)]
    wanting = [
        level
        for level in open_levels
        if _next_number(plan, cells, level) < _end(plan, cells, level)
    ]
    if wanting:
        level = min(wanting, key=lambda level: _next_number(plan, cells, level))
        if not fits(plan, cells, _round_of(plan, cells, wanting, level)):
            return None
    else:
        best = cheapest_sight(
            plan, cells, {level: _chunk(plan, cells, level) for level in open_levels}
        )
        if best is None:
            return None
        level = best
    return pair_slots(plan, level, _next_number(plan, cells, level), Phase.DECISION)[0]


def missing_pairs(plan: Plan, cells: Sequence[Cell]) -> dict[int, int]:
    """Return how many of the plan's pairs a decision level has, by level, where it has fewer than it should and no cell failed."""
    return {
        level: made
        for level in decision_levels(plan, cells)
        if not _has_failed(cells, level) and (made := len(pairs_at(cells, level))) < plan.pairs
    }


def _first_number(plan: Plan, level: int) -> int:
    """Return the number of a level's first decision pair: those of the ladder have the numbers before it."""
    if level not in plan.levels:
        return 0
    return 2 * plan.blocks or 1


def _next_number(plan: Plan, cells: Sequence[Cell], level: int) -> int:
    ran = [_number(cell) for cell in _decision_cells(cells, level)]
    return max(ran) + 1 if ran else _first_number(plan, level)


def _end(plan: Plan, cells: Sequence[Cell], level: int) -> int:
    """Return the number after the last pair that the plan itself asks for."""
    made = len(pairs_at(in_phases(cells, Phase.LADDER), level))
    return _first_number(plan, level) + max(0, plan.pairs - made)


def _chunk(plan: Plan, cells: Sequence[Cell], level: int) -> int:
    """Return how many pairs the next block of a level has: one where it only completes a block that was begun."""
    number, end = _next_number(plan, cells, level), _end(plan, cells, level)
    to_block = 2 - number % 2
    return to_block if number >= end else min(to_block, end - number)


def _round_of(
    plan: Plan, cells: Sequence[Cell], wanting: Sequence[int], level: int
) -> dict[int, int]:
    """Return the blocks after which all levels have as many pairs again, as pairs by level."""
    number = _next_number(plan, cells, level)
    return {
        other: _chunk(plan, cells, other)
        for other in wanting
        if _next_number(plan, cells, other) // 2 == number // 2
    }


def _unfinished(plan: Plan, cells: Sequence[Cell], level: int) -> Slot | None:
    """Return what the block that a level is in still lacks."""
    here = _decision_cells(cells, level)
    if not here:
        return None
    last = max(_number(cell) for cell in here)
    ran = {cell.slot.side for cell in here if _number(cell) == last}
    for slot in pair_slots(plan, level, last, Phase.DECISION):
        if slot.side not in ran:
            return slot
    is_whole = last % 2 == 1 or last + 1 == _end(plan, cells, level)
    if is_whole or any(cell.outcome.is_timeout for cell in here):
        return None
    return pair_slots(plan, level, last + 1, Phase.DECISION)[0]


def _decision_cells(cells: Sequence[Cell], level: int) -> list[Cell]:
    return [cell for cell in in_phases(cells, Phase.DECISION) if cell.slot.level == level]


def _has_failed(cells: Sequence[Cell], level: int) -> bool:
    return any(
        cell.outcome not in {Outcome.OK, Outcome.INVALID} for cell in _decision_cells(cells, level)
    )


def _number(cell: Cell) -> int:
    return 2 * cell.slot.block + (cell.slot.pair or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A metric that a level's pairs could not see well enough.

    Args:
        metric: Its name.
        level: Concurrency C.
        pairs: How many there are.
        smallest: The smallest change that they could have shown, as a ratio minus 1; None where there are too few to tell.
        wanted: The one that was to be seen.
    """

    metric: str
    level: int
    pairs: int
    smallest: float | None
    wanted: float


def used_s(cells: Sequence[Cell]) -> float:
    """Return how long cells took in all, in seconds, their containers included."""
    return math.fsum(cell.wall_s + OVERHEAD_S for cell in cells)


def fits(plan: Plan, cells: Sequence[Cell], pairs: Mapping[int, int]) -> bool:
    """Whether so many more pairs, by level, are expected to end within the budget."""
    if plan.budget_s is None:
        return True
    expected = math.fsum(count * _pair_s(cells, level) for level, count in pairs.items())
    return used_s(cells) + expected <= plan.budget_s


def cheapest_sight(plan: Plan, cells: Sequence[Cell], pairs: Mapping[int, int]) -> int | None:
    """Return the level at which a block lowers the smallest detectable effect most a second, among those that fit the budget.

    The effects are summed over the estimated metrics, as logarithms of ratios. They depend on the spread of the pairs and on their number, never on which
    way they point: a budget does not stop where it likes what it sees.

    Args:
        plan: Without a budget there is nothing to spend.
        cells: All that has been run.
        pairs: How many pairs the next block of each level has.

    Returns:
        None where nothing fits, or no block would show more.
    """
    if plan.budget_s is None:
        return None
    rates = {
        level: _gain(cells, level, count) / (count * _pair_s(cells, level))
        for level, count in pairs.items()
        if fits(plan, cells, {level: count})
    }
    best = max(rates, key=lambda level: rates[level], default=None)
    return best if best is not None and rates[best] > 0 else None


def find_unresolved(
    cells: Sequence[Cell], levels: Sequence[int], wanted: Mapping[str, float]
) -> list[Unresolved]:
    """Return what the pairs could not have shown.

    Args:
        cells: All that has been run.
        levels: The decision levels.
        wanted: By metric, the smallest change that was to be seen, as a ratio minus 1.
    """
    found = []
    for level in levels:
        for name, logs in _logs_at(cells, level).items():
            effect = _effect(logs, len(logs))
            if name in wanted and effect > math.log1p(wanted[name]):
                found.append(
                    Unresolved(
                        metric=name,
                        level=level,
                        pairs=len(logs),
                        smallest=None if math.isinf(effect) else change_of(effect),
                        wanted=wanted[name],
                    )
                )
    return found


def _gain(cells: Sequence[Cell], level: int, more: int) -> float:
    """Return by how much so many more pairs lower the smallest effects; infinite while there are too few pairs to tell."""
    gain = 0.0
    for logs in _logs_at(cells, level).values():
        now = _effect(logs, len(logs))
        gain += math.inf if math.isinf(now) else now - _effect(logs, len(logs) + more)
    return gain


def _logs_at(cells: Sequence[Cell], level: int) -> dict[str, list[float]]:
    """Return the log ratios of a level's pairs by metric; one that no pair has is left out, because more pairs will not have it either."""
    pairs = pairs_at(cells, level)
    logs = {metric.name: log_ratios(paired_values(pairs, metric)) for metric in ESTIMATED}
    return {name: found for name, found in logs.items() if found or not pairs}


def _effect(logs: Sequence[float], n: int) -> float:
    """Return the smallest log ratio that n pairs with this spread show; infinite where that cannot be told."""
    spread = deviation(logs)
    effect = None if spread is None else smallest_effect(spread, n)
    return math.inf if effect is None else effect


def _pair_s(cells: Sequence[Cell], level: int) -> float:
    """Return how long a pair at a level is expected to take, in seconds: as its cells did, or where there are none, as all did."""
    expected = 0.0
    for side in Side:
        known = measured_cells(cells, side, level) or cells
        expected += used_s(known) / len(known)
    return expected
