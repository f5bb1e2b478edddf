"""What a run may still spend, where a block of pairs shows most for its time, and what stayed out of sight."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.metrics import ESTIMATED
from harness.model import Cell, Side
from harness.plan.plan import Plan
from harness.ramp import ladder_cells, paired_values, pairs_at
from harness.stats import change_of, deviation, log_ratios, smallest_effect

OVERHEAD_S = 1.0
"""What a container costs beside its cell's own time: made, started, stopped."""


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
        known = ladder_cells(cells, side, level) or cells
        expected += used_s(known) / len(known)
    return expected
