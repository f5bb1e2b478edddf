"""How the cells that failed ended, each with its evidence."""

from harness.compare import Comparison
from harness.forensics import tell_end
from harness.model import Cell, Outcome, Phase
from harness.report.markdown import escape, table
from harness.units import show_count


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
            escape(tell_end(cell)) or "–",
        ]
        for cell in failed
    ]
    drawn = table(header, rows, words=("side", "outcome", "reason", "evidence"))
    return f"### How cells ended\n\n{drawn}"


def side_of(comparison: Comparison, cell: Cell) -> str:
    """Name a cell's side, with its phase where it was not run for the ladder."""
    name = comparison.name_of(cell.slot.side)
    return name if cell.slot.phase is Phase.LADDER else f"{name}, {cell.slot.phase}"
