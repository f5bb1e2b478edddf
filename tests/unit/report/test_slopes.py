"""Costs per session, extrapolated to the limits of the box."""

import pytest
from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.slopes import find_box_limits
from harness.model.cells import Cell
from harness.model.nouns import Caps, Load, Outcome, Side
from harness.model.runs import RunInfo
from harness.report.slopes import limits_table, observed
from tests.builders.model import make_cell, make_run, make_side, ok_cell


def _ramp(side: Side, per_session: float, *, noise: float = 0.0) -> list[Cell]:
    """Make three levels at which the use of resources grows with the sessions."""
    return [
        ok_cell(
            side,
            level,
            peak_threads=round(8 + per_session * level),
            peak_rss_mb=30 + per_session * level * 50 / 1024 + wobble * noise,
            peak_fds=round(20 + per_session * level),
            cpu_ms_per_turn=per_session * 0.5,
        )
        for level, wobble in ((500, 1), (1000, -2), (2000, 1))
    ]


def _table(run: RunInfo, cells: list[Cell]) -> str:
    return limits_table(compare(run, cells, complete=True))


LEVELS = (500, 1000, 2000)
BOTH = """\
| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C    | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:------------------------|:-------------------------|
| threads per session    | 2 [2, 2]            | 0 [0, 0]              | 4,096 pids        | 2,040 [2,040, 2,040]    | never                    |
| cpu-ms per turn        | 1 [1, 1]            | 0 [0, 0]              | 1 CPU             | 450 [450, 450]          | never                    |
| KiB per session        | 100 [71.5, 129]     | 0 [0, 0]              | 2 GiB             | 20,600 [16,200, 28,500] | never                    |
| open files per session | 2 [2, 2]            | 0 [0, 0]              | 20,000 open files | 9,990 [9,990, 9,990]    | never                    |"""


def test_limits_table_shows_slopes_limits_and_levels() -> None:
    """A flat line never reaches its limit."""
    run = structs.replace(make_run(levels=LEVELS), caps=Caps(pids=4096))
    cells = [*_ramp(Side.BASE, 2.0, noise=1.0), *_ramp(Side.BRANCH, 0.0)]
    assert _table(run, cells) == BOTH


ALONE = """\
| cost                   | slope [95 %]    | limit             | reaches it at C   |
|:-----------------------|:----------------|:------------------|:------------------|
| threads per session    | 2 (two cells)   | none              | –                 |
| cpu-ms per turn        | 1 (two cells)   | 1 CPU             | 450               |
| KiB per session        | 100 (two cells) | 2 GiB             | 20,700            |
| open files per session | 2 (two cells)   | 20,000 open files | 9,990             |"""


def test_limits_table_of_one_build_through_two_cells_has_no_intervals() -> None:
    """Two points have no noise; threads have no limit without a cap on pids."""
    run = make_run(levels=LEVELS, sides=[Side.BRANCH])
    lines = _table(run, _ramp(Side.BRANCH, 2.0)[:2]).splitlines()
    assert [" ".join(line.split()) for line in lines[2:]] == [
        " ".join(line.split()) for line in ALONE.splitlines()[2:]
    ]


def test_limits_table_of_a_side_with_one_level_has_dashes() -> None:
    """One level has no slope; that is not the same as “never”."""
    cells = [*_ramp(Side.BASE, 2.0), *_ramp(Side.BRANCH, 2.0)[:1]]
    rows = _table(make_run(levels=LEVELS), cells).splitlines()[2:]
    assert [row.split("|")[3].strip() for row in rows] == ["–"] * 4
    assert [row.split("|")[6].strip() for row in rows] == ["–"] * 4


def test_limits_table_without_two_levels_is_empty() -> None:
    """One point makes no line."""
    assert _table(make_run(levels=LEVELS), _ramp(Side.BASE, 2.0)[:1]) == ""


def test_limits_table_of_a_possibly_flat_slope_has_no_upper_end() -> None:
    """A level beyond ten million is shown as never."""
    run = make_run(levels=LEVELS, sides=[Side.BRANCH])
    row = _table(run, _ramp(Side.BRANCH, 0.2, noise=8.0)).splitlines()[4]
    assert row.split("|")[4].strip().endswith(", ∞]")
    row = _table(run, _ramp(Side.BRANCH, 0.001)).splitlines()[4]
    assert row.split("|")[4].strip() == "never"


def test_limits_grow_with_the_processes_of_a_side() -> None:
    """Each worker process adds open files, and a CPU up to the cap of the box."""
    sides = (make_side(), make_side(Side.BRANCH, environment={"SCALE_PROCS": "4"}))
    run = structs.replace(make_run(levels=LEVELS), sides=sides)
    cells = [*_ramp(Side.BASE, 2.0), *_ramp(Side.BRANCH, 2.0)]
    found = {
        limit.metric: limit
        for limit in find_box_limits(run, compare(run, cells, complete=True).lines)
    }
    assert found["cpu-ms/turn"].cap == "1 CPU and 2 CPU"
    assert found["peak-fds"].cap == "20,000 open files and 80,000 open files"
    base, branch = (found["peak-fds"].reached[side].value for side in Side)
    assert [base, branch] == pytest.approx([9990, 39_990])


def test_limits_of_a_load_without_pacing_have_no_cpu() -> None:
    """A turn without delay uses all CPU at every level."""
    run = structs.replace(make_run(levels=LEVELS), load=Load(ttft_ms=0, tokens=0))
    comparison = compare(run, _ramp(Side.BASE, 2.0), complete=True)
    (limit,) = [x for x in find_box_limits(run, comparison.lines) if x.metric == "cpu-ms/turn"]
    assert (limit.cap, limit.reached) == ("", {})


def test_limits_leave_out_missing_numbers_and_failed_levels() -> None:
    """Neither is a point of a line."""
    cells = _ramp(Side.BASE, 2.0)
    bare = [
        structs.replace(c, result=structs.replace(c.result, peak_fds=None))
        for c in cells[:2]
        if c.result
    ]
    run = make_run(levels=LEVELS)
    lines = compare(run, [*bare, make_cell(Side.BASE, 2000, Outcome.OOM)], complete=True).lines
    assert {name: list(by_side) for name, by_side in lines.items()} == {
        "peak-threads": [Side.BASE],
        "cpu-ms/turn": [Side.BASE],
        "latency-infl": [],
        "peak-rss-mb": [Side.BASE],
        "rss-kb/sess": [],
        "peak-fds": [],
    }


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([], "base was not run; branch was not run"),
        (
            [make_cell(Side.BASE, 500), make_cell(Side.BRANCH, 500, Outcome.THREADS)],
            "base passed C=500, the highest level tried; branch failed at C=500 (threads)",
        ),
        (
            [make_cell(Side.BASE, 500), make_cell(Side.BASE, 1000, Outcome.OOM)],
            "base failed between C=500 and C=1,000 (oom); branch was not run",
        ),
    ],
)
def test_observed_names_the_levels_that_ran(cells: list[Cell], sentence: str) -> None:
    """The sentence is next to the extrapolated levels."""
    assert observed(compare(make_run(), cells, complete=True)) == f"Observed: {sentence}."
