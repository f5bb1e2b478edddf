"""The ladder read back: which levels a side passed, and where its knee is."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.stats.ratios import geometric_mean
from harness.model.cells import Cell, Knee
from harness.model.metrics import Metric
from harness.model.nouns import Outcome, Phase, Side


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The bracket of a side's capacity.

    Args:
        within: The largest level that passes with latency inflation within the objective; None where the lowest does not.
        beyond: The first level above that does not; None where none was found.
    """

    within: int | None
    beyond: int | None


def find_capacity(cells: Sequence[Cell], side: Side, objective: float) -> Capacity:
    """Return a side's capacity.

    Args:
        cells: Of the run.
        side: Whose.
        objective: The largest latency inflation that is within it: the geometric mean over a level's ok cells. A level at which no cell
            says how late it was counts by whether it passes.
    """
    within = None
    for level in tried_levels(cells, side):
        if not is_within(ladder_cells(cells, side, level), objective):
            return Capacity(within=within, beyond=level)
        within = level
    return Capacity(within=within, beyond=None)


def ratio_range(base: Capacity, branch: Capacity) -> tuple[float | None, float | None]:
    """Return the lowest and the highest ratio of branch to base that the brackets allow.

    Disjoint brackets leave 1 outside. An end is None where the level that it depends on was not found.
    """
    return _ratio(branch.within, base.beyond), _ratio(branch.beyond, base.within)


def is_within(here: Sequence[Cell], objective: float) -> bool:
    """Whether a level's cells pass, and are late by no more than the objective."""
    if not passes(here):
        return False
    found = [
        cell.result.latency_infl
        for cell in here
        if cell.outcome is Outcome.OK and cell.result is not None
    ]
    known = [value for value in found if value]  # zero is what a load without pacing has
    return not known or geometric_mean(known) <= objective


def _ratio(branch: int | None, base: int | None) -> float | None:
    return None if branch is None or base is None else branch / base
