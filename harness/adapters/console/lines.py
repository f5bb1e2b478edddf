"""Progress as plain lines on a stream, and the job summary of GitHub Actions."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from harness.adapters.console.live import LiveProgress, Terminal
from harness.model.cells import Cell, Knee, Slot
from harness.model.text import printable
from harness.model.units import show_count, show_plural, show_seconds
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook
from harness.report.lines import cell_line, knee_line, place
from harness.verbs.ports import Progress

_FIRST_S, _LONGEST_S = 15.0, 60.0  # intervals between two lines of a cell
_VARIABLE = "GITHUB_STEP_SUMMARY"


class ConsoleProgress:
    """A line for each end, and a line now and then during a cell.

    Args:
        stream: A terminal or a log.
        stamp: Returns the beginning of a line.
    """

    def __init__(self, stream: TextIO, stamp: Callable[[], str] = lambda: "") -> None:
        self._stream = stream
        self._stamp = stamp
        self._printed_s = time.monotonic()
        self._interval_s = _FIRST_S

    def say(self, text: str) -> None:
        """Print one line."""
        with suppress(OSError, ValueError):  # the stream is closed: the run continues
            print(f"{self._stamp()}{printable(text)}", file=self._stream, flush=True)
        self._printed_s = time.monotonic()

    def cell_started(self, slot: Slot, number: int) -> None:
        """Start the intervals again; the line comes at the end of the cell."""
        del slot, number
        self._interval_s = _FIRST_S
        self._printed_s = time.monotonic()

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Print a line during a long cell, at intervals that double up to a minute."""
        if time.monotonic() - self._printed_s < self._interval_s:
            return
        self._interval_s = min(self._interval_s * 2, _LONGEST_S)
        threads = f", {show_plural(line.threads, 'thread')}" if line.threads else ""
        done = f"{show_count(line.done)} of {show_count(slot.level)} sessions done"
        self.say(f"{place(slot)} … {done} after {show_seconds(line.t_ms / 1000)}{threads}")

    def cell_ended(self, cell: Cell) -> None:
        """Print the outcome of a cell."""
        self.say(cell_line(cell))

    def stands(self, table: str, outlook: Outlook | None) -> None:
        """Print nothing: a log has the table once, at its end."""

    def rest(self) -> None:
        """Do nothing: lines need no cleanup."""

    def knee(self, name: str, knee: Knee) -> None:
        """Print the knee of a build."""
        self.say(knee_line(name, knee))


def make_progress(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Progress:
    """Return a live view for a terminal, and stamped lines for any other stream.

    Args:
        stream: A terminal or a log.
        environ: The environment: with ``CI``, and on a terminal with ``TERM=dumb``, there are lines.
    """
    console = Terminal(file=stream, highlight=False)
    # the console would call a file a terminal under FORCE_COLOR
    if stream.isatty() and not console.is_dumb_terminal and not environ.get("CI"):
        return LiveProgress(console)
    return ConsoleProgress(stream, _time_of_day)


def _time_of_day() -> str:
    return f"{datetime.now(UTC):%H:%M:%SZ} "


def append_summary(environ: Mapping[str, str], summary: str) -> str:
    """Append a summary to that of the job, if this is a job of GitHub Actions.

    Args:
        environ: The process's environment.
        summary: Markdown that ends in a newline.

    Returns:
        A message, empty outside of a job. A failure is a message too: the verdict stands.
    """
    name = environ.get(_VARIABLE)
    if not name:
        return ""
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"\n{summary}")
    except OSError as error:
        return f"the job summary {name} cannot be written: {error.strerror}"
    return f"the summary is appended to {name}"
