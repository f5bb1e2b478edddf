"""The checks after injected faults: they find different runs, and only those."""

from dataclasses import replace

import pytest

from experiments.faults.scenario import Findings, Scenario, counted, kinds_of
from experiments.faults.shape import frame, measured_twice, places
from experiments.faults.table import document
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side

TABLE = """\
## sc-mem

|   C (sessions) | base outcome            | branch outcome          |
|---------------:|:------------------------|:------------------------|
|             20 | ok — 1.15× latency-infl | ok — 1.16× latency-infl |

- base: no knee up to C=20
- Threads per session: base 0
"""


def cell(*, level: int = 20, attempt: int = 0, outcome: Outcome = Outcome.OK) -> Cell:
    """Make a cell of the base."""
    return Cell(
        slot=Slot(
            side=Side.BASE, level=level, block=0, pair=0, attempt=attempt, phase=Phase.LADDER
        ),
        outcome=outcome,
        reason="",
        started_at="2026-11-24T12:00:00Z",
        wall_s=1.0,
        exit_code=0,
        sessions_done=level,
        peak_threads=1,
        peak_rss_mb=20.0,
        peak_fds=9,
        result=None,
        evidence={},
        log="",
    )


def test_frame_does_not_depend_on_latencies() -> None:
    """Latencies and column widths may differ."""
    other = TABLE.replace("1.15×", "12.50×").replace("| base outcome   ", "| base outcome     ")
    assert frame(other) == frame(TABLE)


@pytest.mark.parametrize(
    ("before", "after"), [("ok — 1.16×", "DIED — 1.16×"), ("no knee", "knee"), ("20 |", "40 |")]
)
def test_frame_depends_on_outcomes_levels_and_knees(before: str, after: str) -> None:
    """Any other difference changes the frame."""
    assert frame(TABLE.replace(before, after, 1)) != frame(TABLE)


def test_cell_with_a_retry_is_not_measured_twice() -> None:
    """An invalid cell and its retry share a slot."""
    cells = [cell(outcome=Outcome.INVALID), cell(attempt=1), cell(level=40)]
    assert measured_twice(cells) == []
    assert len(places(cells)) == 2


@pytest.mark.parametrize("attempt", [0, 1])
def test_cell_that_was_measured_twice_is_found(attempt: int) -> None:
    """A repeated attempt and a retry of an ok cell are both found."""
    assert measured_twice([cell(), cell(attempt=attempt)])


def test_leftovers_are_summarized_by_kind() -> None:
    """The summary holds counts, not names."""
    left = [
        "container 0bd8ebdf029a of a cell",
        "container 1d7cf7847aec of a cell",
        "lock /run/a.lock",
    ]
    assert kinds_of(left) == "2 container of a cell, 1 lock"
    assert kinds_of([]) == "nothing"
    assert counted(["exit 0", "exit 5", "exit 0"]) == "2× exit 0; exit 5"


def test_table_shows_failed_checks() -> None:
    """A failed check is in its row and below the table."""
    scenario = Scenario("disk", "the disk | is full", "filled", lambda _lab, _found: None)
    held = Findings(times=3, happened=["exit 11"], lost=["the build"], left=["nothing"])
    text = document([(scenario, held)], seed=7)
    assert "| the disk \\| is full | filled" in text
    assert text.endswith("1 of 1 survived; seed 7.\n")
    text = document([(scenario, replace(held, wrong=["exit 70"]))], seed=7)
    assert "**FAILED**: exit 11" in text
    assert text.endswith("0 of 1 survived; seed 7.\n\n- disk: exit 70\n")
