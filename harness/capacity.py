"""Capacity: the largest level that a side passes with latency within the objective, as a bracket."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Cell, Outcome, Side
from harness.ramp import ladder_cells, passes, tried_levels
from harness.stats import geometric_mean


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
