"""A forecast of the remaining cells and their time."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from harness.model.cells import Cell, Result, Slot
from harness.model.nouns import Outcome, Phase
from harness.model.plan import Plan
from harness.plan.budget import used_s
from harness.plan.next_cell import next_slot

_MOST = 300  # cells; the forecast stops there


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The remaining cells, provided that none fails.

    Args:
        cells: Their number.
        seconds: Their expected time; None before the first cell.
    """

    cells: int
    seconds: float | None


def look_ahead(plan: Plan, cells: Sequence[Cell]) -> Outlook:
    """Forecast the rest of a run from the times of the nearest levels.

    A budget is expected to be used up.
    """
    to_come = imagine_rest(plan, cells)
    if not cells:
        return Outlook(cells=len(to_come), seconds=None)
    left_s = 0.0 if plan.budget_s is None else plan.budget_s - used_s(cells)
    return Outlook(cells=len(to_come), seconds=max(used_s(to_come), left_s))


def imagine_rest(plan: Plan, cells: Sequence[Cell]) -> list[Cell]:
    """Return the remaining cells if none fails, without those of a budget."""
    imagined = list(cells)
    certain = structs.replace(plan, budget_s=None)
    while (slot := next_slot(certain, imagined)) is not None and len(imagined) < _MOST:
        imagined.append(_imagine(slot, cells))
    return imagined[len(cells) :]


def _imagine(slot: Slot, cells: Sequence[Cell]) -> Cell:
    """Return a cell that passes, in the mean time of the cells at the nearest level."""
    known = [cell for cell in cells if cell.slot.phase is not Phase.CHECK] or cells
    distance = min((abs(cell.slot.level - slot.level) for cell in known), default=0)
    near = [cell.wall_s for cell in known if abs(cell.slot.level - slot.level) == distance]
    return Cell(
        slot=slot,
        outcome=Outcome.OK,
        reason="",
        started_at="",
        wall_s=sum(near) / len(near) if near else 0.0,
        exit_code=0,
        sessions_done=slot.level,
        peak_threads=None,
        peak_rss_mb=None,
        peak_fds=None,
        result=Result(arm="", c=slot.level, ok=slot.level, errors=0, latency_infl=1.0),
        evidence={},
        log="",
    )
