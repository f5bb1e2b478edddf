"""Progress on a terminal: the running cell, the time left, the table so far."""

import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.model.cells import Cell, Knee, Slot
from harness.model.text import printable
from harness.model.units import show_count, show_number, show_plural, show_seconds
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook
from harness.report.lines import cell_line, knee_line, place

_BAR_WIDTH = 20
_EACH_S = 0.25


class Terminal(Console):
    """A terminal that may close without ending the run."""

    def on_broken_pipe(self) -> None:
        """Stop printing; the library would exit."""
        self.quiet = True


class LiveProgress:
    """A view at the foot of the terminal, redrawn during cells and removed after them.

    Args:
        console: The terminal.
        now_s: A monotonic clock.
    """

    def __init__(self, console: Console, now_s: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._now_s = now_s
        self._live: Live | None = None
        self._slot: Slot | None = None
        self._number = 0
        self._started_s = 0.0
        self._line = ProgressLine()
        self._outlook: tuple[Outlook, float] | None = None
        self._table = ""

    def say(self, text: str) -> None:
        """Print one line above the view."""
        with suppress(OSError):  # the terminal is closed: the run continues
            self._console.print(Text(printable(text)), soft_wrap=True)

    def cell_started(self, slot: Slot, number: int) -> None:
        """Show a cell, and start to redraw the view."""
        self._slot, self._number = slot, number
        self._started_s, self._line = self._now_s(), ProgressLine()
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self.view,
                refresh_per_second=1 / _EACH_S,
                transient=True,
            )
            self._live.start()

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Show the progress of the cell."""
        self._slot, self._line = slot, line

    def cell_ended(self, cell: Cell) -> None:
        """Print the outcome of a cell."""
        self.say(cell_line(cell))

    def stands(self, table: str, outlook: Outlook | None) -> None:
        """Show a table, and count down from its outlook."""
        self._table = table
        self._outlook = None if outlook is None else (outlook, self._now_s())

    def knee(self, name: str, knee: Knee) -> None:
        """Print the knee of a build."""
        self.say(knee_line(name, knee))

    def rest(self) -> None:
        """Remove the view."""
        live, self._live = self._live, None
        if live is not None:
            with suppress(OSError):
                live.stop()

    def view(self) -> Group:
        """Return the view: the running cell, the plan's progress, the table so far."""
        parts = [Text(""), Text(self._cell_text(), no_wrap=True)]
        if self._outlook is not None:
            outlook, since_s = self._outlook
            parts.append(Text(_plan_text(self._number, outlook, self._now_s() - since_s)))
        if self._table:
            parts.append(Text(f"\n{self._table}", no_wrap=True, overflow="ellipsis"))
        return Group(*parts)

    def _cell_text(self) -> str:
        if self._slot is None:
            return ""
        slot, line = self._slot, self._line
        parts = [
            f"{show_count(line.done)} of {show_count(slot.level)} sessions",
            show_seconds(round(self._now_s() - self._started_s)),
        ]
        if line.threads:
            parts.append(show_plural(line.threads, "thread"))
        if line.peak_rss_mb:
            parts.append(f"{show_number(line.peak_rss_mb)} MB")
        return f"{place(slot)} … {', '.join(parts)}"


def _plan_text(number: int, outlook: Outlook, passed_s: float) -> str:
    """Return a bar of the cells done, and the time left if no cell fails."""
    cells = number - 1 + outlook.cells
    done = round((number - 1) / cells * _BAR_WIDTH) if cells else _BAR_WIDTH
    bar = "█" * done + "░" * (_BAR_WIDTH - done)
    total = f"{bar} cell {number} of {cells} while none fails"
    if outlook.seconds is None:
        return total
    left_s = max(0.0, outlook.seconds - passed_s)
    minutes = f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s"
    return f"{total}, about {minutes} left"
