"""Levels of a run: each side's cells and pairs there, its knee and its capacity."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.analysis.stats.ratios import geometric_mean
from harness.model.cells import Cell, Knee
from harness.model.metrics import Metric
from harness.model.nouns import Outcome, Phase, Side


def is_measured(cell: Cell) -> bool:
    """Return whether a cell is valid, and neither a check nor a warm-up."""
    return cell.slot.phase.counts and cell.outcome is not Outcome.INVALID


def measured_cells(cells: Sequence[Cell], side: Side, level: int) -> list[Cell]:
    """Return a side's measured cells at a level, in the order of the run."""
    return [
        cell
        for cell in cells
        if (cell.slot.side, cell.slot.level) == (side, level) and is_measured(cell)
    ]


def tried_levels(cells: Sequence[Cell], side: Side | None = None) -> tuple[int, ...]:
    """Return the levels with a measured cell of a side, or of either, ascending."""
    return tuple(
        sorted(
            {
                cell.slot.level
                for cell in cells
                if side in {None, cell.slot.side} and is_measured(cell)
            }
        )
    )


def passes(here: Sequence[Cell]) -> bool:
    """Return whether a side passes a level.

    On the ladder all cells must end ok. With repeats of the refinement or the decision, two
    thirds of all cells must.

    Args:
        here: The side's measured cells at the level; without any it does not pass.
    """
    ok = sum(cell.outcome is Outcome.OK for cell in here)
    if any(cell.slot.phase is not Phase.LADDER for cell in here):
        return 3 * ok >= 2 * len(here)
    return 0 < ok == len(here)


def is_within(here: Sequence[Cell], objective: float) -> bool:
    """Return whether a level passes with a latency inflation within the objective.

    Args:
        here: The side's measured cells at the level.
        objective: For the geometric mean over the ok cells. Without latencies, passing is enough.
    """
    if not passes(here):
        return False
    latencies = [
        cell.result.latency_infl
        for cell in here
        if cell.outcome is Outcome.OK and cell.result is not None
    ]
    known = [value for value in latencies if value]  # a load without pacing reports zero
    return not known or geometric_mean(known) <= objective


def find_knee(cells: Sequence[Cell], side: Side) -> Knee:
    """Return the bracket in which a side breaks, see `passes`."""
    last_pass, first_fail = _first_bad_level(cells, side, passes)
    if first_fail is None:
        return Knee(last_pass=last_pass, first_fail=None)
    here = measured_cells(cells, side, first_fail)
    failed = next(cell for cell in here if cell.outcome is not Outcome.OK)
    return Knee(
        last_pass=last_pass,
        first_fail=first_fail,
        outcome=failed.outcome,
        reason=failed.reason,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The bracket of a side's capacity.

    Args:
        within: The last level within the objective; None where the lowest is not.
        beyond: The first level that is not within it; None where all are.
    """

    within: int | None
    beyond: int | None


def find_capacity(cells: Sequence[Cell], side: Side, objective: float) -> Capacity:
    """Return the bracket of a side's capacity, see `is_within`."""
    within, beyond = _first_bad_level(cells, side, lambda here: is_within(here, objective))
    return Capacity(within=within, beyond=beyond)


def ratio_range(base: Capacity, branch: Capacity) -> tuple[float | None, float | None]:
    """Return the smallest and the largest ratio of branch to base.

    The brackets allow all ratios between them; disjoint brackets exclude 1. An end is None
    where the level that it depends on is unknown.
    """
    return _ratio(branch.within, base.beyond), _ratio(branch.beyond, base.within)


def pair_up(cells: Iterable[Cell]) -> dict[tuple[int, int, int], tuple[Cell, Cell]]:
    """Return the (base, branch) cells of each complete pair, by level, block, pair."""
    by_place: dict[tuple[int, int, int], dict[Side, Cell]] = {}
    for cell in cells:
        slot = cell.slot
        if slot.pair is not None:
            by_place.setdefault((slot.level, slot.block, slot.pair), {})[slot.side] = cell
    return {
        place: (sides[Side.BASE], sides[Side.BRANCH])
        for place, sides in by_place.items()
        if len(sides) == len(Side)
    }


def pairs_at(cells: Sequence[Cell], level: int) -> list[tuple[Cell, Cell]]:
    """Return the (base, branch) pairs of neighbours at a level that both ended ok."""
    here = [cell for side in Side for cell in measured_cells(cells, side, level)]
    pairs = pair_up(cell for cell in here if cell.outcome is Outcome.OK)
    return [pair for _, pair in sorted(pairs.items())]


def paired_values(pairs: Sequence[tuple[Cell, Cell]], metric: Metric) -> list[tuple[float, float]]:
    """Return a metric's values of the pairs in which both are above zero."""
    read = [
        (metric.read(base.result), metric.read(branch.result))
        for base, branch in pairs
        if base.result is not None and branch.result is not None
    ]
    return [(base, branch) for base, branch in read if base and branch and base > 0 < branch]


def _first_bad_level(
    cells: Sequence[Cell], side: Side, is_good: Callable[[Sequence[Cell]], bool]
) -> tuple[int | None, int | None]:
    """Return the last level before the first bad one, and the first bad one."""
    last_good = None
    for level in tried_levels(cells, side):
        if not is_good(measured_cells(cells, side, level)):
            return last_good, level
        last_good = level
    return last_good, None


def _ratio(branch: int | None, base: int | None) -> float | None:
    return None if branch is None or base is None else branch / base
