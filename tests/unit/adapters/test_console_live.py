"""Progress on a terminal."""

import io

import pytest
from rich.console import Console

from harness.adapters.console.lines import ConsoleProgress, make_progress
from harness.adapters.console.live import LiveProgress, Terminal as LiveTerminal
from harness.model.cells import Knee, Slot
from harness.model.nouns import Side
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook
from tests.builders.model import ok_cell

SLOT = Slot(side=Side.BRANCH, level=2000, block=0, pair=0)
TABLE = "|   C |   base |\n|----:|-------:|\n| 500 |      1 |"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal of a fixed size, apart from the host's environment."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


def _shown(live: LiveProgress) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(live.view())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_view_shows_the_cell_the_rest_and_the_table(terminal: Terminal) -> None:
    """The view holds the running cell, the cells and time left, and the table."""
    now = [100.0]
    live = LiveProgress(Console(file=terminal), lambda: now[0])
    live.stands(TABLE, Outlook(cells=30, seconds=300.0))
    live.cell_started(SLOT, 11)
    live.rest()
    now[0] = 112.0
    live.cell_moved(SLOT, ProgressLine(done=1204, threads=1, peak_rss_mb=46.2))
    assert _shown(live) == [
        "",
        "C=2,000   branch … 1,204 of 2,000 sessions, 12 s, 1 thread, 46.2 MB",
        "█████░░░░░░░░░░░░░░░ cell 11 of 40 while none fails, about 5 min left",
        "",
        *TABLE.splitlines(),
    ]
    now[0] = 330.0
    assert _shown(live)[2].endswith(" cell 11 of 40 while none fails, about 70 s left")


def test_view_before_the_first_end_shows_no_time(terminal: Terminal) -> None:
    """The duration is unknown before the first measurement."""
    live = LiveProgress(Console(file=terminal), lambda: 0.0)
    assert _shown(live) == ["", ""]
    live.stands("", Outlook(cells=8, seconds=None))
    live.cell_started(SLOT, 1)
    live.rest()
    assert _shown(live)[-1] == "░░░░░░░░░░░░░░░░░░░░ cell 1 of 8 while none fails"


def test_live_progress_keeps_the_lines_and_removes_the_view(terminal: Terminal) -> None:
    """No line moves the cursor, and the cursor is visible again at the end."""
    live = LiveProgress(Console(file=terminal), lambda: 0.0)
    live.say("base \x1b[2Jba5eba5")
    live.cell_started(SLOT, 1)
    live.cell_ended(ok_cell(Side.BRANCH, 2000))
    live.knee("branch", Knee(last_pass=2000, first_fail=None))
    live.rest()
    live.rest()
    said = terminal.getvalue()
    assert said.startswith("base  [2Jba5eba5\n")
    assert "C=2,000   branch ok, 1.50× latency-infl, 8 threads" in said
    assert "branch: no knee up to C=2,000" in said
    assert (said.count("\x1b[?25l"), said.count("\x1b[?25h")) == (1, 1)


def test_progress_on_a_terminal_is_live(terminal: Terminal) -> None:
    """A terminal shows the run live."""
    assert isinstance(make_progress(terminal, {}), LiveProgress)


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"CI": "1"}])
def test_progress_of_a_job_is_lines(terminal: Terminal, environ: dict[str, str]) -> None:
    """The log of a job is text, even on a terminal."""
    assert isinstance(make_progress(terminal, environ), ConsoleProgress)


def test_progress_on_a_dumb_terminal_is_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dumb terminal cannot move its cursor."""
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(terminal, {}), ConsoleProgress)


def test_progress_in_a_log_is_stamped_and_has_no_controls() -> None:
    """Each line has the time of day, and text alone."""
    stream = io.StringIO()
    progress = make_progress(stream, {})
    progress.stands(TABLE, Outlook(cells=1, seconds=1.0))
    progress.cell_started(SLOT, 1)
    progress.say("one thing")
    progress.rest()
    (line,) = stream.getvalue().splitlines()
    assert line[2::3][:3] == "::Z"
    assert line.endswith(" one thing")


class Gone(Terminal):
    """A terminal whose other end is closed."""

    def write(self, text: str) -> int:
        """Raise BrokenPipeError."""
        raise BrokenPipeError(text)


def test_closed_terminal_ends_no_run(terminal: Terminal) -> None:
    """The measurement does not depend on a reader."""
    del terminal
    gone = Gone()
    ConsoleProgress(gone).say("one thing")
    live = LiveProgress(LiveTerminal(file=gone), lambda: 0.0)
    live.say("one thing")
    assert gone.getvalue() == ""


def test_progress_in_a_file_with_forced_colour_is_lines(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FORCE_COLOR does not make a terminal of a file."""
    del terminal
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(make_progress(io.StringIO(), {}), ConsoleProgress)
