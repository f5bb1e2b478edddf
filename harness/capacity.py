"""Capacity: the largest level that a side passes with latency within the objective, as a bracket."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Cell, Outcome, Side
from harness.ramp import ladder_cells
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


def find_capacity(
    cells: Sequence[Cell], side: Side, levels: Sequence[int], objective: float
) -> Capacity:
    """Return a side's capacity.

    Args:
        cells: Of the run.
        side: Whose.
        levels: Ascending.
        objective: The largest latency inflation that is within it.
    """
    within = None
    for level in levels:
        here = ladder_cells(cells, side, level)
        if here and not _is_within(here, objective):
            return Capacity(within=within, beyond=level)
        if here:
            within = level
    return Capacity(within=within, beyond=None)


def _is_within(here: Sequence[Cell], objective: float) -> bool:
    if any(cell.outcome is not Outcome.OK for cell in here):
        return False
    found = [cell.result.latency_infl for cell in here if cell.result is not None]
    known = [value for value in found if value]  # zero is what a load without pacing has
    return not known or geometric_mean(known) <= objective
