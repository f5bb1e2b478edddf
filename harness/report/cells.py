"""The sections of failed and of invalid cells."""

from collections.abc import Sequence

from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Phase
from harness.model.units import show_count
from harness.outcome.evidence import describe_end
from harness.report.markdown import escape, table

_INVALID_NOTE = (
    "Invalid cells are excluded from every figure above. Each is retried once; "
    "after two invalid attempts that side is not measured further."
)
_WORDS = ("side", "outcome", "reason", "evidence", "follow-up")


def failed_cells(comparison: Comparison) -> str:
    """Return the section with a row per failed cell, in order; empty without any."""
    rows = [
        [
            *_place(comparison, cell),
            str(cell.outcome),
            escape(cell.reason),
            escape(describe_end(cell)) or "–",
        ]
        for cell in comparison.cells
        if cell.outcome is not Outcome.OK
    ]
    header = ("C", "side", "outcome", "reason", "evidence")
    return _section("How cells ended", header, rows)


def invalid_cells(comparison: Comparison) -> str:
    """Return the section with a row per invalid cell, in order; empty without any."""
    rows = [
        [
            *_place(comparison, cell),
            str(cell.slot.attempt + 1),
            escape(cell.reason),
            _follow_up(comparison, cell),
        ]
        for cell in comparison.invalid
    ]
    section = _section("Invalid cells", ("C", "side", "attempt", "reason", "follow-up"), rows)
    return f"{section}\n\n{_INVALID_NOTE}" if section else ""


def _section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"### {title}\n\n{table(header, rows, words=_WORDS)}" if rows else ""


def _place(comparison: Comparison, cell: Cell) -> tuple[str, str]:
    """Return level and side of a cell, with its phase unless that is the ladder."""
    name, phase = comparison.name_of(cell.slot.side), cell.slot.phase
    return show_count(cell.slot.level), name if phase is Phase.LADDER else f"{name}, {phase}"


def _follow_up(comparison: Comparison, cell: Cell) -> str:
    """Return the consequence of an invalid cell."""
    if cell.slot.attempt > 0:
        return f"{comparison.name_of(cell.slot.side)} is not measured further"
    retry = structs.replace(cell.slot, attempt=1)
    again = next((other for other in comparison.reruns if other.slot == retry), None)
    if again is None:
        return "not retried"
    return f"retried: {'invalid again' if again.outcome is Outcome.INVALID else again.outcome}"
