"""The comparison of two series of cells."""

import pytest
from msgspec import structs

from harness.analysis.comparison import Comparison, DataWarning, compare
from harness.analysis.levels import Capacity
from harness.analysis.stats.ratios import ratio_of_pairs
from harness.model.cells import Cell, Knee, Result, Slot
from harness.model.metrics import METRICS
from harness.model.nouns import Caps, Load, Outcome, Phase, Side
from tests.builders.model import (
    cell_at,
    make_block,
    make_box_info,
    make_cell,
    make_result,
    make_run,
    make_side,
    ok_cell,
)


def _abba(level: int, base: tuple[float, float], branch: tuple[float, float]) -> list[Cell]:
    """Make a whole block at a level, with each side's CPU per turn in its two cells."""
    sides = [[{"cpu_ms_per_turn": value} for value in values] for values in (base, branch)]
    return make_block(level, *sides)


def _texts(comparison: Comparison) -> list[str]:
    return [warning.text for warning in comparison.warnings]


def test_compare_pairs_neighbours() -> None:
    """A ratio is over pairs of neighbours, not over the sides' means."""
    comparison = compare(make_run(), _abba(500, (1.0, 4.0), (2.0, 2.0)), complete=True)
    assert comparison.rows[0].ratios["cpu-ms/turn"] == ratio_of_pairs([(1.0, 2.0), (4.0, 2.0)])
    assert comparison.rows[0].ratios["cpu-ms/turn"].value == pytest.approx(1.0)


def test_compare_has_a_row_for_each_level_of_the_ladder() -> None:
    """A level that was not reached has neither cells nor ratios."""
    comparison = compare(make_run(), _abba(500, (1.0, 1.0), (1.0, 1.0)), complete=True)
    assert [row.level for row in comparison.rows] == [500, 1000]
    assert comparison.rows[1].cells == {Side.BASE: [], Side.BRANCH: []}
    assert comparison.rows[1].ratios == {}
    assert not comparison.rows[1].passed(Side.BASE)


def test_compare_has_no_ratio_where_a_side_failed() -> None:
    """One failed cell of four ends the comparison of costs."""
    cells = _abba(500, (1.0, 1.0), (2.0, 2.0))[:3]
    cells.append(make_cell(Side.BASE, 500, Outcome.OOM, pair=1))
    comparison = compare(make_run(), cells, complete=True)
    assert comparison.rows[0].ratios == {}
    assert comparison.rows[0].passed(Side.BRANCH)
    assert not comparison.rows[0].passed(Side.BASE)


def test_compare_leaves_unpaired_cells_out_of_the_ratios() -> None:
    """A side that continues alone has no pairs."""
    cells = [make_cell(side, 1000, pair=None) for side in Side]
    assert compare(make_run(), cells, complete=True).rows[1].ratios == {}


def test_compare_leaves_out_missing_metrics() -> None:
    """A metric that is missing or zero on one side has no ratio."""
    cells = [
        ok_cell(Side.BASE, 500, cpu_ms_per_turn=None, latency_infl=0.0, peak_fds=10),
        ok_cell(Side.BRANCH, 500, peak_fds=20),
    ]
    ratios = compare(make_run(), cells, complete=True).rows[0].ratios
    assert set(ratios) == {"peak-threads", "peak-rss-mb", "peak-fds"}
    assert ratios["peak-fds"].value == pytest.approx(2.0)


def test_compare_leaves_an_ok_cell_without_a_result_out_of_the_ratios() -> None:
    """A stored cell without a RESULT passes, and has no figures."""
    cells = [make_cell(side, 500, result=None) for side in Side]
    comparison = compare(make_run(), cells, complete=True)
    assert comparison.rows[0].ratios == {}
    assert all(not by_side for by_side in comparison.slopes.values())


def test_compare_finds_the_knee_of_each_side() -> None:
    """Each side has its own bracket."""
    cells = [
        *_abba(500, (1.0, 1.0), (1.0, 1.0)),
        make_cell(Side.BASE, 1000, Outcome.THREADS),
        make_cell(Side.BRANCH, 1000),
    ]
    assert compare(make_run(), cells, complete=True).knees == {
        Side.BASE: Knee(
            last_pass=500,
            first_fail=1000,
            outcome=Outcome.THREADS,
            reason="because of threads",
        ),
        Side.BRANCH: Knee(last_pass=1000, first_fail=None),
    }


def test_compare_takes_marginal_costs_from_the_cells_that_passed() -> None:
    """Threads and memory per session are slopes over the ok cells."""
    cells = [
        ok_cell(Side.BASE, 500, peak_threads=1009, peak_rss_mb=100.0),
        ok_cell(Side.BASE, 1000, peak_threads=2009, peak_rss_mb=150.0),
        make_cell(Side.BASE, 2000, Outcome.OOM, peak_threads=9),
    ]
    slopes = compare(make_run(levels=(500, 1000, 2000)), cells, complete=True).slopes
    assert slopes["peak-threads"][Side.BASE].value == pytest.approx(2.0)
    assert slopes["peak-rss-mb"][Side.BASE].value == pytest.approx(0.1 * 1024)
    assert Side.BRANCH not in slopes["peak-threads"]
    assert slopes["cpu-ms/turn"][Side.BASE].value == pytest.approx(2.0)
    assert slopes["latency-infl"] == {}


def test_compare_has_no_slope_of_a_missing_metric() -> None:
    """Memory that a probe does not report is missing, not zero."""
    cells = [
        ok_cell(Side.BASE, 500, peak_rss_mb=None),
        ok_cell(Side.BASE, 1000, peak_rss_mb=None),
    ]
    slopes = compare(make_run(), cells, complete=True).slopes
    assert slopes["peak-rss-mb"] == {}
    assert slopes["peak-threads"] != {}


def test_compare_lists_invalid_cells_and_leaves_them_out() -> None:
    """Both runs of an invalid cell are listed, and neither is in a row."""
    cells = [
        make_cell(Side.BASE, 1000, Outcome.INVALID, reason="host pressure"),
        make_cell(Side.BASE, 1000, Outcome.INVALID, reason="host pressure", attempt=1),
    ]
    comparison = compare(make_run(), cells, complete=True)
    assert comparison.invalid == tuple(cells)
    assert comparison.rows[1].cells[Side.BASE] == []
    assert comparison.reruns == (cells[1],)
    assert _texts(comparison) == []


def test_compare_has_the_warnings_of_the_box() -> None:
    """They may distort the numbers."""
    run = make_run(box=make_box_info(warnings=("swap is not accounted",)))
    assert _texts(compare(run, [], complete=True)) == ["swap is not accounted"]


def test_compare_warns_of_two_differences_at_once() -> None:
    """The runtime and the environment cannot be separated."""
    base, branch = make_side(Side.BASE), make_side(Side.BRANCH, environment={"SCALE_VT": "0"})
    both = structs.replace(make_run(), sides=(base, branch))
    assert _texts(compare(both, [], complete=True)) == [
        "both the runtime and the environment differ: the cause of a difference stays unknown"
    ]
    one = structs.replace(
        make_run(), sides=(structs.replace(base, subject=branch.subject), branch)
    )
    assert _texts(compare(one, [], complete=True)) == []


def _lag(arm: str, lag_ms: float | None, **more: object) -> list[str]:
    cell = ok_cell(Side.BASE, 1000, {"arm": arm, "mock_lag_p99_ms": lag_ms, **more})
    return _texts(compare(make_run(), [cell], complete=True))


@pytest.mark.parametrize(
    ("arm", "cause"),
    [
        ("sc-mem", "this happens when a runtime blocks its event loop without using CPU"),
        ("hand", "no runtime can have delayed it"),
    ],
)
def test_compare_warns_of_idle_lag_that_counts(arm: str, cause: str) -> None:
    """Lag that repeats in the second run of a cell is part of the figures."""
    late = "the simulated model was late by 120 ms (99th percentile) while the worker was only 30 % busy"
    texts = _lag(arm, 120.0, cpu_sec=3.0, wall_ms=10_000.0)
    assert texts == [f"C=1,000 base: {late}; the cell counts: {cause}"]


def test_compare_ignores_the_lag_of_cells_that_do_not_count() -> None:
    """Invalid cells, the check and the warm-up have no warning."""
    late = make_result(1000, arm="hand", mock_lag_p99_ms=120.0, cpu_sec=3.0, wall_ms=10_000.0)
    cells = [
        make_cell(Side.BASE, 1000, Outcome.INVALID, result=late),
        cell_at(Slot(side=Side.BASE, level=1, block=0, pair=None, phase=Phase.CHECK), result=late),
        cell_at(
            Slot(side=Side.BASE, level=1000, block=0, pair=None, phase=Phase.WARM_UP), result=late
        ),
    ]
    assert _texts(compare(make_run(), cells, complete=True)) == []


def test_compare_warns_of_a_late_hand_arm() -> None:
    """A box in which the bare loop is late is too small for the level."""
    assert _lag("hand", 1234.5) == [
        (
            "C=1,000 base: the simulated model was 1,234 ms late (99th percentile) without a runtime: "
            "the box is too small for this level"
        )
    ]


@pytest.mark.parametrize(("arm", "lag_ms"), [("hand", 50.0), ("hand", None), ("sc-mem", 1234.5)])
def test_compare_has_no_warning_of_a_busy_runtimes_lag(arm: str, lag_ms: float | None) -> None:
    """This lag is a measurement of the runtime."""
    assert _lag(arm, lag_ms) == []


def test_compare_warns_of_an_interrupted_run() -> None:
    """Its missing levels were not run."""
    comparison = compare(make_run(), [], complete=False)
    assert not comparison.complete
    assert _texts(comparison) == ["the run was interrupted: missing levels were not run"]


def test_compare_of_one_side_has_no_ratios() -> None:
    """A ramp has rows, a knee and slopes."""
    cells = [
        ok_cell(Side.BRANCH, 500, peak_threads=8),
        ok_cell(Side.BRANCH, 1000, peak_threads=8),
    ]
    comparison = compare(make_run(sides=[Side.BRANCH]), cells, complete=True)
    assert set(comparison.knees) == {Side.BRANCH}
    assert comparison.rows[0].cells == {Side.BRANCH: [cells[0]]}
    assert comparison.rows[0].ratios == {}
    assert comparison.slopes["peak-threads"][Side.BRANCH].value == pytest.approx(0.0)


def test_compare_metrics_name_keys_of_the_result() -> None:
    """A reader finds each metric in cells.jsonl."""
    keys = {field.encode_name for field in structs.fields(Result)}
    assert {metric.name for metric in METRICS} <= keys


@pytest.mark.parametrize(("timeout_s", "warnings"), [(2.7, 1), (2.8, 0)])
def test_compare_warns_of_a_load_beyond_the_timeout(timeout_s: float, warnings: int) -> None:
    """A timeout at or below the undisturbed session fails every level."""
    load = Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)
    run = make_run(levels=(500,), load=load, caps=Caps(timeout_s=timeout_s))
    texts = [warning.text for warning in compare(run, [], complete=True).warnings]
    text = "a session takes at least 2.7 s and a cell may take 2.7 s: no level can pass"
    assert texts == [text] * warnings


def test_compare_has_a_row_for_each_level_that_was_tried() -> None:
    """Levels of the refinement and the decision are rows too."""
    refined = Slot(side=Side.BASE, level=700, block=0, pair=None, phase=Phase.REFINE)
    cells = [make_cell(Side.BASE, 500), make_cell(Side.BASE, 1000, Outcome.OOM), cell_at(refined)]
    comparison = compare(make_run(), cells, complete=True)
    assert [row.level for row in comparison.rows] == [500, 700, 1000]
    assert [slot.level for slot in comparison.order] == [500, 1000, 700]


def test_compare_keeps_the_warm_up_out_of_everything_but_the_order() -> None:
    """A discarded cell still appears in the order."""
    warm_up = Slot(side=Side.BASE, level=500, block=0, pair=None, phase=Phase.WARM_UP)
    cells = [cell_at(warm_up, Outcome.OOM), make_cell(Side.BASE, 500)]
    comparison = compare(make_run(levels=[500]), cells, complete=True)
    assert comparison.cells == (cells[1],)
    assert comparison.rows[0].cells[Side.BASE] == [cells[1]]
    assert [slot.phase for slot in comparison.order] == [Phase.WARM_UP, Phase.LADDER]


def test_compare_finds_the_capacity_of_each_side() -> None:
    """The run's own objective decides."""
    cells = [*_latencies(500, 1.0, 1.4), *_latencies(1000, 1.5, 2.5)]
    comparison = compare(make_run(objective=1.5), cells, complete=True)
    assert comparison.capacities == {
        Side.BASE: Capacity(within=1000, beyond=None),
        Side.BRANCH: Capacity(within=500, beyond=1000),
    }


def _latencies(level: int, base: float, branch: float) -> list[Cell]:
    return make_block(level, [{"latency_infl": base}] * 2, [{"latency_infl": branch}] * 2)


def test_compare_appends_the_shortfalls_of_a_budget() -> None:
    """They follow the warnings about the data."""
    shortfall = DataWarning("the budget was too short")
    comparison = compare(make_run(), [], complete=False, shortfalls=[shortfall])
    assert comparison.warnings[-1] == shortfall
    assert len(comparison.warnings) == 2


def test_compare_warns_of_a_pair_that_an_interruption_separates() -> None:
    """One of its cells began before the run was resumed, the other after."""
    stamps = ("2026-11-30T12:00:00Z", "2026-11-30T14:00:00Z")
    split = [make_cell(side, 500, started_at=at) for side, at in zip(Side, stamps, strict=True)]
    after = [make_cell(side, 500, pair=1, started_at=stamps[1]) for side in Side]
    run = make_run(resumed=("2026-11-30T13:00:00Z",))
    pair = "C=500, block 1, pair 1: the run was interrupted between its two cells"
    assert _texts(compare(run, [*split, *after], complete=True)) == [
        f"{pair} and resumed at {run.resumed[0]}"
    ]


def test_compare_names_the_sides() -> None:
    """The arm distinguishes sides that drive different arms."""
    assert compare(make_run(), [], complete=True).name_of(Side.BASE) == "base"
