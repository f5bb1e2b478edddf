"""Progress as plain lines on a stream."""

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

_FIRST_S, _LONGEST_S = 15.0, 60.0
_VARIABLE = "GITHUB_STEP_SUMMARY"


class ConsoleProgress:
    """A line when something has ended, and one now and then while a cell runs.

    Args:
        stream: A terminal or a log.
        stamp: What each line begins with.
    """

    def __init__(self, stream: TextIO, stamp: Callable[[], str] = lambda: "") -> None:
        self._stream = stream
        self._stamp = stamp
        self._told_at = time.monotonic()
        self._patience_s = _FIRST_S

    def say(self, text: str) -> None:
        """Tell one thing."""
        with suppress(OSError, ValueError):  # nobody listens any more: the run goes on
            print(f"{self._stamp()}{printable(text)}", file=self._stream, flush=True)
        self._told_at = time.monotonic()

    def cell_started(self, slot: Slot, number: int) -> None:
        """Remember that a cell begins; its end is what is told."""
        del slot, number
        self._patience_s = _FIRST_S
        self._told_at = time.monotonic()

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Tell of a cell that runs for long."""
        if time.monotonic() - self._told_at < self._patience_s:
            return
        self._patience_s = min(self._patience_s * 2, _LONGEST_S)
        threads = f", {show_plural(line.threads, 'thread')}" if line.threads else ""
        done = f"{show_count(line.done)} of {show_count(slot.level)} sessions done"
        self.say(f"{place(slot)} … {done} after {show_seconds(line.t_ms / 1000)}{threads}")

    def cell_ended(self, cell: Cell) -> None:
        """Tell how a cell ended."""
        self.say(cell_line(cell))

    def stands(self, table: str, outlook: Outlook | None) -> None:
        """Say nothing: a log has the table once, at its end."""

    def rest(self) -> None:
        """Say nothing: a log is nobody's terminal."""

    def knee(self, name: str, knee: Knee) -> None:
        """Tell where a build breaks."""
        self.say(knee_line(name, knee))


def make_progress(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Progress:
    """Give a live view where a person looks at a terminal, and stamped lines elsewhere.

    Args:
        stream: Where it goes.
        environ: With ``CI`` there are lines on any stream, as on a terminal whose ``TERM`` is ``dumb``.
    """
    console = Terminal(file=stream, highlight=False)
    # the stream is asked, not the console: FORCE_COLOR makes no terminal of a file
    if stream.isatty() and not console.is_dumb_terminal and not environ.get("CI"):
        return LiveProgress(console)
    return ConsoleProgress(stream, _time_of_day)


def _time_of_day() -> str:
    return f"{datetime.now(UTC):%H:%M:%SZ} "


def append_summary(environ: Mapping[str, str], summary: str) -> str:
    """Append a summary to the job's, where there is a job.

    Args:
        environ: The process's environment.
        summary: Markdown that ends in a newline.

    Returns:
        What came of it, for people; empty where there is no job. A summary that cannot be written takes no verdict with it.
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
