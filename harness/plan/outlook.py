"""How many cells are still to come, and for how long, as far as what has happened tells."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from harness.model.cells import Cell, Result, Slot
from harness.model.nouns import Outcome, Phase
from harness.model.plan import Plan
from harness.plan.decision import used_s
from harness.plan.next_cell import next_slot

_MOST = 300  # beyond that nobody counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to come while nothing fails.

    Args:
        cells: How many.
        seconds: How long they take, by those that have been run; None before the first.
    """

    cells: int
    seconds: float | None


def look_ahead(plan: Plan, cells: Sequence[Cell]) -> Outlook:
    """Imagine that every cell from here on passes, in the time that the nearest level took so far.

    What is spent on a budget is what is left of it.

    Args:
        plan: What is to be run.
        cells: What has been run.
    """
    to_come = imagine_rest(plan, cells)
    if not cells:
        return Outlook(cells=len(to_come), seconds=None)
    seconds = used_s(to_come)
    if plan.budget_s is not None:
        seconds = max(seconds, plan.budget_s - used_s(cells))
    return Outlook(cells=len(to_come), seconds=seconds)


def imagine_rest(plan: Plan, cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells that are to come while nothing fails, those of a budget left out.

    Args:
        plan: What is to be run.
        cells: What has been run.
    """
    imagined = list(cells)
    certain = structs.replace(plan, budget_s=None)
    while (slot := next_slot(certain, imagined)) is not None and len(imagined) < _MOST:
        imagined.append(_imagine(slot, cells))
    return imagined[len(cells) :]


def _imagine(slot: Slot, cells: Sequence[Cell]) -> Cell:
    """Make a cell that passes, at the pace of the mock, and takes as long as those of the nearest level did."""
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
