"""The budget of time, and the pairs that are worth it."""

import math
from collections.abc import Mapping, Sequence

from harness.analysis.levels import measured_cells, paired_values, pairs_at
from harness.analysis.stats.ratios import deviation, log_ratios
from harness.analysis.stats.tests import smallest_effect
from harness.model.cells import Cell
from harness.model.metrics import ESTIMATED
from harness.model.nouns import Side
from harness.model.plan import Plan

_OVERHEAD_S = 1.0  # to create, start and stop the container of a cell


def used_s(cells: Sequence[Cell]) -> float:
    """Return the time of some cells in seconds, with their containers."""
    return math.fsum(cell.wall_s + _OVERHEAD_S for cell in cells)


def fits(plan: Plan, cells: Sequence[Cell], pairs: Mapping[int, int]) -> bool:
    """Return whether more pairs, by level, are expected to end within the budget."""
    if plan.budget_s is None:
        return True
    expected = math.fsum(count * _pair_s(cells, level) for level, count in pairs.items())
    return used_s(cells) + expected <= plan.budget_s


def most_informative(plan: Plan, cells: Sequence[Cell], pairs: Mapping[int, int]) -> int | None:
    """Return the level where more pairs lower the detectable effects fastest.

    The effects are summed over the estimated metrics, as log ratios. They depend on the spread and the number of the
    pairs, not on the direction of a difference: the budget cannot stop at a convenient result.

    Args:
        plan: The plan of the run.
        cells: The cells that have run.
        pairs: The size of the next block, by level.

    Returns:
        None without a budget, and if no block fits or helps.
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


def logs_at(cells: Sequence[Cell], level: int) -> dict[str, list[float]]:
    """Return the log ratios of a level's pairs, by estimated metric.

    A metric that no pair has is left out: more pairs would not have it either.
    """
    pairs = pairs_at(cells, level)
    logs = {metric.name: log_ratios(paired_values(pairs, metric)) for metric in ESTIMATED}
    return {name: found for name, found in logs.items() if found or not pairs}


def detectable(logs: Sequence[float], more: int = 0) -> float:
    """Return the smallest detectable log ratio after `more` pairs with the same spread.

    It is infinite with too few pairs.
    """
    spread = deviation(logs)
    effect = None if spread is None else smallest_effect(spread, len(logs) + more)
    return math.inf if effect is None else effect


def _gain(cells: Sequence[Cell], level: int, more: int) -> float:
    """Return the sum by which more pairs lower the smallest detectable effects."""
    gain = 0.0
    for logs in logs_at(cells, level).values():
        now = detectable(logs)
        gain += now if math.isinf(now) else now - detectable(logs, more)
    return gain


def _pair_s(cells: Sequence[Cell], level: int) -> float:
    """Return the mean time of a pair in seconds, at its level or over all cells."""
    expected = 0.0
    for side in Side:
        known = measured_cells(cells, side, level) or cells
        expected += used_s(known) / len(known)
    return expected
