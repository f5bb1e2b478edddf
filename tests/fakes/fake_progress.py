"""Somebody who follows a run and remembers what was told."""

from harness.model.cells import Cell, Knee, Slot
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook
from harness.report.lines import cell_line, knee_line


class FakeProgress:
    """Keeps every line, in order.

    Attributes:
        lines: What a console would show.
        started: Each slot that began, with its number.
        moved: What was heard of running cells.
        stood: The table after each cell, with what was still to come.
        rests: How often the terminal was given back.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.started: list[tuple[Slot, int]] = []
        self.moved: list[tuple[Slot, ProgressLine]] = []
        self.stood: list[tuple[str, Outlook | None]] = []
        self.rests = 0

    def say(self, text: str) -> None:
        """Remember one thing."""
        self.lines.append(text)

    def cell_started(self, slot: Slot, number: int) -> None:
        """Remember that a cell begins."""
        self.started.append((slot, number))

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Remember that a cell was heard of."""
        self.moved.append((slot, line))

    def cell_ended(self, cell: Cell) -> None:
        """Remember how a cell ended."""
        self.lines.append(cell_line(cell))

    def stands(self, table: str, outlook: Outlook | None) -> None:
        """Remember how things stood."""
        self.stood.append((table, outlook))

    def rest(self) -> None:
        """Remember that no more cells were to come."""
        self.rests += 1

    def knee(self, name: str, knee: Knee) -> None:
        """Remember where a build breaks."""
        self.lines.append(knee_line(name, knee))
