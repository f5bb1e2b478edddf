"""A progress that remembers everything."""

from harness.model.cells import Cell, Knee, Slot
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook
from harness.report.lines import cell_line, knee_line


class FakeProgress:
    """Keeps everything in order.

    Attributes:
        lines: The lines of a console.
        started: Each slot that started, with its number.
        moved: Each progress line of a running cell.
        stood: Each table, with its outlook.
        rests: The number of calls of `rest`.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.started: list[tuple[Slot, int]] = []
        self.moved: list[tuple[Slot, ProgressLine]] = []
        self.stood: list[tuple[str, Outlook | None]] = []
        self.rests = 0

    def say(self, text: str) -> None:
        """Remember a line."""
        self.lines.append(text)

    def cell_started(self, slot: Slot, number: int) -> None:
        """Remember the start of a cell."""
        self.started.append((slot, number))

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Remember a progress line of a cell."""
        self.moved.append((slot, line))

    def cell_ended(self, cell: Cell) -> None:
        """Remember the line of a cell that ended."""
        self.lines.append(cell_line(cell))

    def stands(self, table: str, outlook: Outlook | None) -> None:
        """Remember a table and an outlook."""
        self.stood.append((table, outlook))

    def rest(self) -> None:
        """Count a call."""
        self.rests += 1

    def knee(self, name: str, knee: Knee) -> None:
        """Remember the line of a knee."""
        self.lines.append(knee_line(name, knee))
