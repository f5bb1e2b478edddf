"""The progress lines of a run, and the takeaways under its table."""

import pytest

from harness.analysis.comparison import Comparison, compare
from harness.model.cells import Cell, Knee, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.text import printable
from harness.report.document import render
from harness.report.lines import cell_line, knee_line, show_title
from tests.builders.model import cell_at, make_block, make_cell, make_result, make_run, ok_cell


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(
            ok_cell(Side.BASE, 8000, latency_infl=62.0, peak_threads=16009, peak_rss_mb=1999.5),
            "C=8,000   base   ok, 62.00× latency-infl, 16,009 threads, 2 cpu-ms/turn, 2,000 MB (4.0 s)",
            id="all measured",
        ),
        pytest.param(
            make_cell(
                Side.BRANCH,
                10,
                result=make_result(
                    10, latency_infl=None, peak_threads=1, cpu_ms_per_turn=None, peak_rss_mb=None
                ),
            ),
            "C=10      branch ok, 1 thread (4.0 s)",
            id="one thread and nothing else",
        ),
        pytest.param(
            make_cell(Side.BASE, 10, result=make_result(10, peak_threads=None), wall_s=61.4),
            "C=10      base   ok, 1.50× latency-infl, 2 cpu-ms/turn, 100 MB (61 s)",
            id="no threads",
        ),
        pytest.param(
            make_cell(Side.BASE, 1000, Outcome.OOM, peak_threads=1990),
            "C=1,000   base   oom: because of oom, peak threads ~1,990; 0 of 1,000 sessions done (4.0 s)",
            id="died",
        ),
        pytest.param(
            cell_at(
                Slot(side=Side.BASE, level=500, block=0, pair=None, phase=Phase.WARM_UP),
                Outcome.OOM,
            ),
            "C=500     base   warm-up: oom: because of oom; 0 of 500 sessions done (4.0 s)",
            id="a phase that is not the ladder",
        ),
        pytest.param(
            make_cell(Side.BASE, 1000, Outcome.CRASH, reason="\x1b[2Jgone\n"),
            "C=1,000   base   crash:  [2Jgone ; exit code 137, 0 of 1,000 sessions done (4.0 s)",
            id="hostile",
        ),
        pytest.param(
            make_cell(
                Side.BASE, 1000, Outcome.INVALID, reason="the host was busy", peak_threads=9
            ),
            "C=1,000   base   invalid: the host was busy, peak threads ~9; will be retried (4.0 s)",
            id="invalid",
        ),
        pytest.param(
            make_cell(Side.BASE, 1000, Outcome.INVALID, reason="the host was busy", attempt=1),
            "C=1,000   base   invalid: the host was busy; not retried again (4.0 s)",
            id="invalid twice",
        ),
    ],
)
def test_cell_line_describes_the_end_of_a_cell(cell: Cell, expected: str) -> None:
    """Missing numbers are left out, and control characters are removed."""
    assert cell_line(cell) == expected


@pytest.mark.parametrize(
    ("knee", "expected"),
    [
        (Knee(last_pass=None, first_fail=None), "base: nothing was run"),
        (Knee(last_pass=8000, first_fail=None), "base: no knee up to C=8,000"),
        (
            Knee(last_pass=4000, first_fail=8000, outcome=Outcome.OOM, reason="at 2 GiB\x1b"),
            "base: the knee is between C=4,000 and C=8,000: oom (at 2 GiB )",
        ),
        (
            Knee(last_pass=None, first_fail=500, outcome=Outcome.CRASH, reason="signal 11"),
            "base: fails at the first level, C=500: crash (signal 11)",
        ),
    ],
)
def test_knee_line_shows_the_bracket(knee: Knee, expected: str) -> None:
    """The line names the level and the cause of the failure, if there is one."""
    assert knee_line("base", knee) == expected


@pytest.mark.parametrize(
    "char", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\n", "\r", "\u202e", "\u2028"]
)
def test_printable_replaces_control_characters(char: str) -> None:
    """Control characters, line ends and bidirectional marks become spaces."""
    assert printable(f"a{char}b") == "a b"


def test_printable_leaves_words_alone() -> None:
    """Letters of any script and the symbols of the report stay."""
    assert printable("Größe 3.18× — 名前 🙂") == "Größe 3.18× — 名前 🙂"


def _compared(*cells: Cell) -> Comparison:
    return compare(make_run(levels=(500, 1000, 2000)), cells, complete=True)


def _takeaways(comparison: Comparison) -> list[str]:
    section = render(comparison).partition("Takeaways:\n\n")[2].partition("\n\n")[0]
    return [line.removeprefix("- ") for line in section.splitlines()][2:]


def _died(side: Side, level: int) -> Cell:
    return make_cell(side, level, Outcome.OOM, pair=None)


def test_takeaways_name_the_side_that_collapses_first() -> None:
    """The failure of the other side is named too."""
    cells = [*make_block(500), _died(Side.BRANCH, 1000)]
    cells += [ok_cell(Side.BASE, 1000), _died(Side.BASE, 2000)]
    assert _takeaways(_compared(*cells))[0] == (
        "**branch collapses at C=1,000 (oom); base holds 1,000, and ends in oom.**"
    )


def test_takeaways_name_a_common_collapse() -> None:
    """Both sides are named with their outcomes."""
    cells = [*make_block(500), _died(Side.BASE, 1000), _died(Side.BRANCH, 1000)]
    assert _takeaways(_compared(*cells))[0] == (
        "Both sides collapse at the same level: base oom, branch oom."
    )


def test_takeaways_quote_the_highest_level_that_both_pass() -> None:
    """One pair has no interval."""
    cells = make_block(500, branch=({"cpu_ms_per_turn": 9.0}, {"cpu_ms_per_turn": 9.0}))
    for side, cpu in ((Side.BASE, 2.0), (Side.BRANCH, 3.0)):
        cells.append(ok_cell(side, 1000, cpu_ms_per_turn=cpu, latency_infl=None, peak_fds=None))
    assert _takeaways(_compared(*cells))[-2:] == [
        "CPU per turn: +50.0 % (one pair) on the branch at C=1,000, the highest level that both pass.",
        (
            "Latency inflation: +0.0 % [+0.0 %, +0.0 %] on the branch at C=500, "
            "the highest level that both pass."
        ),
    ]


def test_takeaways_show_a_dash_for_a_cost_that_was_not_measured() -> None:
    """A metric without a ratio has empty columns."""
    cells = [ok_cell(side, 500, cpu_ms_per_turn=None) for side in Side]
    rows = [line for line in render(_compared(*cells)).splitlines() if line.startswith("| 500 |")]
    assert [column.strip() for column in rows[0].split("|")[1:-1]] == [
        *("500", "–", "–", "–"),
        *("1.50", "1.50", "+0.0 % (one pair)"),
        *("100", "100", "+0.0 % (one pair)"),
    ]


def test_table_shows_the_largest_peak_of_a_level() -> None:
    """A row of two cells shows the larger thread count and the mean latency."""
    base = ({"peak_threads": 10, "latency_infl": 1.0}, {"peak_threads": 12, "latency_infl": 4.0})
    document = render(_compared(*make_block(500, base)))
    row = next(line for line in document.splitlines() if line.startswith("|            500"))
    columns = [column.strip() for column in row.split("|")]
    assert columns[2:4] == ["12", "ok — 2.00× latency-infl"]


@pytest.mark.parametrize(("threads", "shown"), [(4, "**4**"), (5, "5"), (6, "6"), (20, "20")])
def test_table_marks_a_side_that_needs_less_than_half_the_threads(
    threads: int, shown: str
) -> None:
    """A mark means a difference beyond noise."""
    cells = [
        ok_cell(Side.BASE, 500, peak_threads=10),
        ok_cell(Side.BRANCH, 500, peak_threads=threads),
    ]
    row = next(line for line in render(_compared(*cells)).splitlines() if " 500 |" in line)
    assert row.split("|")[4].strip() == shown


def test_table_counts_the_cells_that_failed() -> None:
    """One failed cell of two fails the level; the table shows the count."""
    cells = make_block(500)
    cells[3] = make_cell(Side.BASE, 500, Outcome.CRASH, pair=1, reason="")
    document = render(_compared(*cells))
    assert "| **DIED — crash** (1 of 2 cells) |" in document


def test_title_is_cut_after_200_characters() -> None:
    """A commit message may have any length."""
    assert show_title("a" * 200) == "a" * 200
    assert show_title("a" * 201) == "a" * 199 + "…"
