"""How the cells that failed ended, each with its evidence."""

from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Phase
from harness.model.units import show_count
from harness.outcome.evidence import describe_end
from harness.report.markdown import escape, table


def endings(comparison: Comparison) -> str:
    """Render a section with a row for each cell that failed, in the order in which they ran; empty without any."""
    failed = [cell for cell in comparison.cells if cell.outcome is not Outcome.OK]
    if not failed:
        return ""
    header = ["C", "side", "outcome", "reason", "evidence"]
    rows = [
        [
            show_count(cell.slot.level),
            side_of(comparison, cell),
            str(cell.outcome),
            escape(cell.reason),
            escape(describe_end(cell)) or "–",
        ]
        for cell in failed
    ]
    drawn = table(header, rows, words=("side", "outcome", "reason", "evidence"))
    return f"### How cells ended\n\n{drawn}"


def side_of(comparison: Comparison, cell: Cell) -> str:
    """Name a cell's side, with its phase where it was not run for the ladder."""
    name = comparison.name_of(cell.slot.side)
    return name if cell.slot.phase is Phase.LADDER else f"{name}, {cell.slot.phase}"


def invalid_cells(comparison: Comparison) -> str:
    """Render a section with a row for each invalid cell, in the order in which they ran; empty without any."""
    if not comparison.invalid:
        return ""
    header = ["C", "side", "attempt", "reason", "what followed"]
    rows = [
        [
            show_count(cell.slot.level),
            side_of(comparison, cell),
            str(cell.slot.attempt + 1),
            escape(cell.reason),
            _what_followed(comparison, cell),
        ]
        for cell in comparison.invalid
    ]
    drawn = table(header, rows, words=("side", "reason", "what followed"))
    return f"### Invalid cells\n\n{drawn}\n\n{_NOTE}"


_NOTE = "An invalid cell says nothing about its side, and is part of no figure above. It is run once more; twice is the end of that side."


def _what_followed(comparison: Comparison, cell: Cell) -> str:
    if cell.slot.attempt > 0:
        return f"{comparison.name_of(cell.slot.side)} stops here"
    wanted = structs.replace(cell.slot, attempt=1)
    again = next((other for other in comparison.reruns if other.slot == wanted), None)
    if again is None:
        return "not run again"
    ended = "invalid again" if again.outcome is Outcome.INVALID else str(again.outcome)
    return f"run once more: {ended}"
