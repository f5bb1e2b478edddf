"""Progress as plain lines, and the job summary of GitHub Actions."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.adapters.console import lines
from harness.adapters.console.lines import ConsoleProgress, append_summary
from harness.model.cells import Knee, Slot
from harness.model.nouns import Side
from harness.outcome.protocol import ProgressLine
from tests.builders.model import ok_cell

SLOT = Slot(side=Side.BASE, level=8000, block=0, pair=0)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list whose only item is the time of the clock."""
    now = [0.0]
    monkeypatch.setattr(lines, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.usefixtures("seconds")
def test_lines_show_each_cell_and_each_knee() -> None:
    """No line contains a character that a terminal acts on."""
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    progress.say("base \x1b[2Jba5eba5")
    progress.cell_started(SLOT, 1)
    progress.cell_ended(ok_cell(Side.BASE, 8000))
    progress.knee("base", Knee(last_pass=8000, first_fail=None))
    assert stream.getvalue().splitlines() == [
        "base  [2Jba5eba5",
        "C=8,000   base   ok, 1.50× latency-infl, 8 threads, 2 cpu-ms/turn, 100 MB (4.0 s)",
        "base: no knee up to C=8,000",
    ]


def test_lines_report_a_long_cell_at_growing_intervals(seconds: list[float]) -> None:
    """The intervals start again with each cell."""
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    printed = []
    progress.cell_started(SLOT, 1)
    for second in range(1, 200):
        seconds[0] = float(second)
        before = stream.tell()
        progress.cell_moved(SLOT, ProgressLine(t_ms=second * 1000.0, done=second, threads=1))
        printed += [second] * (stream.tell() > before)
    assert printed == [15, 45, 105, 165]
    assert stream.getvalue().splitlines()[0] == (
        "C=8,000   base   … 15 of 8,000 sessions done after 15 s, 1 thread"
    )
    progress.cell_started(SLOT, 2)
    seconds[0] += 15
    progress.cell_moved(SLOT, ProgressLine(t_ms=15_000.0, done=3))
    assert stream.getvalue().splitlines()[-1].endswith("3 of 8,000 sessions done after 15 s")


def test_summary_is_appended_to_the_text_of_other_steps(tmp_path: Path) -> None:
    """A job has one summary for all of its steps."""
    file = tmp_path / "summary.md"
    file.write_text("## Tests\n")
    message = append_summary({"GITHUB_STEP_SUMMARY": str(file)}, "## Gate\n")
    assert file.read_text() == "## Tests\n\n## Gate\n"
    assert message == f"the summary is appended to {file}"


def test_summary_outside_of_a_job_is_not_written(tmp_path: Path) -> None:
    """A developer's machine has no job summary, and no message about one."""
    assert append_summary({}, "## Gate\n") == ""
    assert append_summary({"GITHUB_STEP_SUMMARY": ""}, "## Gate\n") == ""
    assert list(tmp_path.iterdir()) == []


def test_summary_that_cannot_be_written_does_not_hide_the_verdict(tmp_path: Path) -> None:
    """The error is a message and is not raised."""
    message = append_summary({"GITHUB_STEP_SUMMARY": str(tmp_path)}, "## Gate\n")
    assert message == f"the job summary {tmp_path} cannot be written: Is a directory"
