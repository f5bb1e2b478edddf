"""The cells that say nothing about their side: where each was, why, and what followed."""

from msgspec import structs

from harness.compare import Comparison
from harness.model import Cell, Outcome, Phase
from harness.report.endings import side_of
from harness.report.markdown import escape, table
from harness.units import show_count


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
