"""Readers of figures from the cells of one repeat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.analysis.stats.lines import fit_line
from harness.model.cells import Cell, Result
from harness.model.nouns import Outcome
from harness.model.units import show_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The figure of one repeat.

    Args:
        value: None if the cells lack it.
        failed: A cell that failed.
        note: For people.
    """

    value: float | None
    failed: Cell | None = None
    note: str = ""


Read = Callable[[Sequence[Cell], Sequence[int]], Reading]  # cells of a repeat, levels of the goal


def at_level(metric: Callable[[Result], float | None]) -> Read:
    """Return a reader of a RESULT's number at the only level of a goal."""

    def read(cells: Sequence[Cell], levels: Sequence[int]) -> Reading:
        (cell,) = _at(cells, levels)
        if cell.outcome is not Outcome.OK or cell.result is None:
            return Reading(value=None, failed=cell)
        return Reading(value=metric(cell.result))

    return read


def most_threads(cells: Sequence[Cell], _levels: Sequence[int]) -> Reading:
    """Read the most threads of any cell, with a note on lowest and highest C."""
    peaks = {cell.slot.level: cell.peak_threads for cell in cells if cell.peak_threads is not None}
    if not peaks:
        return Reading(value=None, failed=_first_failed(cells))
    lowest, highest = min(peaks), max(peaks)
    rise = f"{show_count(peaks[lowest])} at C={show_count(lowest)}, {show_count(peaks[highest])} at C={show_count(highest)}"
    return Reading(value=max(peaks.values()), note=rise)


def memory_slope(cells: Sequence[Cell], levels: Sequence[int]) -> Reading:
    """Read KiB of peak memory per session, as a slope over the levels."""
    here = _at(cells, levels)
    points = [
        (float(cell.slot.level), cell.result.peak_rss_mb * 1024)
        for cell in here
        if cell.outcome is Outcome.OK and cell.result and cell.result.peak_rss_mb is not None
    ]
    line = fit_line(points)
    return Reading(value=line.slope.value if line else None, failed=_first_failed(here))


def highest_level(cells: Sequence[Cell], _levels: Sequence[int]) -> Reading:
    """Read the highest level below the first failure, with a note on the failure."""
    held = None
    for cell in sorted(cells, key=lambda cell: cell.slot.level):
        if cell.outcome is not Outcome.OK:
            until = f"C={show_count(cell.slot.level)}: {cell.outcome} ({cell.reason})"
            if held is None:
                return Reading(value=None, failed=cell, note=f"fails at the first level, {until}")
            return Reading(value=held, note=f"ends between C={show_count(held)} and {until}")
        held = cell.slot.level
    return Reading(value=held, note="no level failed")


def _first_failed(cells: Sequence[Cell]) -> Cell | None:
    return next((cell for cell in cells if cell.outcome is not Outcome.OK), None)


def _at(cells: Sequence[Cell], levels: Sequence[int]) -> list[Cell]:
    return [cell for cell in cells if cell.slot.level in levels]
