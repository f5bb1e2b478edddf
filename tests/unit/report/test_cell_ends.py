"""The ends of cells and the caps of a box, as a reader sees them."""

import re

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.model.cells import Slot
from harness.model.nouns import HOLDABLE, Caps, Outcome, Phase, Side
from harness.report.document import render
from harness.report.lines import cell_line, show_caps
from tests.builders.model import cell_at, make_block, make_box_info, make_cell, make_run

CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=4096)


def test_report_has_a_row_for_each_cell_that_failed() -> None:
    """Rows are in the order of the run; markup in a cell's output is escaped."""
    evidence = {"stderr-tail": ["| **bold** |"]}
    slot = Slot(side=Side.BRANCH, level=1000, block=1, pair=0, phase=Phase.DECISION)
    cells = [
        *make_block(500),
        make_cell(
            level=8000, outcome=Outcome.CRASH, sessions_done=None, evidence=evidence, exit_code=3
        ),
        cell_at(slot, Outcome.ERRORS, sessions_done=None, reason="1 of 1,000 sessions failed"),
    ]
    document = render(compare(make_run(levels=(500, 1000, 8000)), cells, complete=True))
    section = document.partition("### How cells ended\n\n")[2].partition("\n\n")[0]
    rows = [
        [word.strip() for word in re.split(r" +\| +", line.strip("| "))]
        for line in section.splitlines()[2:]
    ]
    words = r"exit code 3, last line on stderr: “\| \*\*bold\*\* \|”"
    assert rows == [
        ["8,000", "base", "crash", "because of crash", words],
        ["1,000", "branch, decision", "errors", "1 of 1,000 sessions failed", "–"],
    ]


def test_line_of_an_invalid_cell_has_its_reason_alone() -> None:
    """Evidence explains an outcome, and an invalid cell has none."""
    evidence = {"supervisor": {"oom-kills": 1}}
    cell = make_cell(outcome=Outcome.INVALID, evidence=evidence, reason="the host was busy")
    assert cell_line(cell).endswith("invalid: the host was busy; will be retried (4.0 s)")


@pytest.mark.parametrize(
    ("holds", "pids", "expected"),
    [
        (HOLDABLE, None, "2 CPU, 2 GiB memory and no swap, no network, 600 s a cell"),
        (HOLDABLE, 64, "2 CPU, 2 GiB memory and no swap, 64 pids, no network, 600 s a cell"),
        (
            ("network",),
            None,
            "2 CPU, 2 GiB memory, no network, 600 s a cell; not enforced: cpus, memory, swap, pids",
        ),
        (
            ("cpus", "memory", "swap", "pids"),
            None,
            "2 CPU, 2 GiB memory and no swap, 600 s a cell; not enforced: network",
        ),
    ],
)
def test_caps_are_shown_with_those_not_enforced(
    holds: tuple[str, ...], pids: int | None, expected: str
) -> None:
    """A cap that the box does not enforce is listed as such."""
    caps = structs.replace(CAPS, pids=pids)
    assert show_caps(caps, make_box_info(holds=holds)) == expected
