"""The verdict on a change, over all its metrics."""

import pytest
from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.analysis.verdict.overall import decision_rows, judge
from harness.model.cells import Cell, Slot
from harness.model.costs import ExactCost
from harness.model.nouns import Outcome, Phase, Purity, Side
from tests.builders.gated import (
    TENTHS,
    counted,
    eight_pairs,
    gated,
    line_of,
    make_gate_run,
    make_noise_floor,
    make_pairs,
    noisy,
)
from tests.builders.model import cell_at, make_block, make_cell, make_run


def _metric(comparison: Comparison, name: str) -> MetricVerdict:
    return next(metric for metric in judge(comparison).metrics if metric.metric == name)


def test_counted_costs_are_judged_without_pairs() -> None:
    """One more system call a turn is a regression, and the call is named."""
    cost = ExactCost(
        name="system-calls/turn",
        base=10.0,
        branch=11.0,
        spread=0.0,
        reproducible=True,
        detail={"fsync": (1.0, 2.0)},
    )
    run = structs.replace(make_gate_run(), costs=counted(cost))
    assert line_of([], run) == ("regressed: system-calls/turn 10 → 11, +10.0 %, +1 (fsync +1)")


def test_identical_builds_that_differ_make_the_run_invalid() -> None:
    """The change cannot be the cause, in either direction."""
    run = make_gate_run(purity=Purity.AA)
    for cpu, shown in ((2.4, "+20 % [+18, +22]"), (1.6, "-20 % [-22, -18]")):
        verdict = judge(gated(eight_pairs(cpu=cpu), run))
        assert verdict.verdict is Verdict.INVALID
        assert verdict.headline == (
            f"invalid: identical builds differ, so this host cannot decide: cpu-ms/turn {shown}"
        )


def test_identical_builds_that_do_not_differ_are_equivalent() -> None:
    """The gate raises no alarm without a change."""
    assert judge(gated(eight_pairs(), make_gate_run(purity=Purity.AA))).verdict == "equivalent"


def test_a_cell_that_is_invalid_twice_makes_the_run_invalid() -> None:
    """This precedes a regression: the host was disturbed."""
    twice = [
        make_cell(Side.BRANCH, 1000, Outcome.INVALID, attempt=attempt, reason="host pressure")
        for attempt in (0, 1)
    ]
    verdict = judge(gated([*eight_pairs(cpu=4.0), *twice]))
    assert verdict.verdict is Verdict.INVALID
    assert verdict.headline == "invalid: the branch at C=1,000 was invalid twice (host pressure)"
    assert judge(gated([*eight_pairs(), twice[0]])).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([], "the base and the branch have no valid cell"),
        ([make_cell(Side.BASE, 500)], "the branch has no valid cell"),
        (
            [make_cell(side, 500, Outcome.OOM) for side in Side],
            "neither side holds the lowest level",
        ),
    ],
)
def test_nothing_to_compare_is_inconclusive(cells: list[Cell], why: str) -> None:
    """There is no cell, only one side, or no level that either side holds."""
    verdict = judge(gated(cells))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    bound = "; bound by memory" if len(cells) > 1 else ""
    assert verdict.headline == f"inconclusive: nothing could be gated: {why}{bound}"
    assert verdict.refused == (f"knee: {why}", f"capacity: {why}")


def test_a_refused_margin_is_named_and_not_gated() -> None:
    """The other metrics are judged; `--strict` fails on the refusal."""
    run = make_gate_run(noise_floor=make_noise_floor(cpu=0.12))
    verdict = judge(gated(eight_pairs(cpu=4.0), run))
    assert verdict.verdict is Verdict.EQUIVALENT
    assert verdict.refused == (
        "cpu-ms/turn at C=500: its margin of 10 % is below what 8 pairs resolve here, 12.5 %",
    )


def test_a_metric_without_a_margin_is_no_refusal() -> None:
    """The user switched it off."""
    run = make_gate_run(margins={"peak-threads": TENTHS["peak-threads"]})
    verdict = judge(gated(eight_pairs(cpu=4.0), run))
    assert (verdict.verdict, verdict.refused) == (Verdict.EQUIVALENT, ())
    assert not _metric(gated(eight_pairs(), run), "cpu-ms/turn").is_gated


def test_a_metric_that_no_pair_measured_is_refused() -> None:
    """A load without pacing has no latency inflation; other values may be null."""
    nulls = [fields | {"latency_infl": 0.0, "rss_kb_per_session": None} for fields in noisy()]
    verdict = judge(gated(make_pairs(500, nulls, nulls)))
    assert verdict.refused == (
        "latency-infl at C=500: no pair measured it on both sides",
        "rss-kb/sess at C=500: no pair measured it on both sides",
    )
    assert [metric.metric for metric in verdict.metrics] == [
        "knee",
        "capacity",
        "peak-threads",
        "cpu-ms/turn",
        "latency-infl",
        "rss-kb/sess",
    ]


def test_cells_without_a_result_are_compared_by_outcome() -> None:
    """A stored cell may have no RESULT."""
    cells = [make_cell(side, 500, result=None, peak_threads=None) for side in Side]
    verdict = judge(gated(cells, make_run(levels=(500,))))
    assert [metric.metric for metric in verdict.metrics if metric.is_gated] == ["knee", "capacity"]


def test_a_side_that_fails_more_often_is_worse() -> None:
    """Six of sixteen failures do not confirm a bracket, but are no chance either."""
    failing = {1, 3, 6, 8, 11, 14}
    cells = []
    for index in range(16):
        outcome = Outcome.ERRORS if index in failing else Outcome.OK
        block, pair = divmod(index, 2)
        cells += [
            make_cell(Side.BASE, 500, block=block, pair=pair),
            make_cell(Side.BRANCH, 500, outcome, block=block, pair=pair),
        ]
    failed = _metric(gated(cells), "failed cells")
    assert (failed.base, failed.branch, failed.change) == ("0 of 16", "6 of 16", "6 pairs differ")
    assert failed.p == pytest.approx(2 / 64)
    assert line_of(cells) == "regressed: failed cells 0 of 16 → 6 of 16, 6 pairs differ"
    swapped = [
        structs.replace(c, slot=structs.replace(c.slot, side=c.slot.side.other)) for c in cells
    ]
    assert _metric(gated(swapped), "failed cells").verdict is Verdict.IMPROVED


def test_screen_is_judged_by_the_default_margins_at_the_last_level_that_both_pass() -> None:
    """A comparison that is no gate has neither margins nor decision levels."""
    cells = make_block(500) + make_block(1000, branch=({"peak_threads": 9}, {}))
    comparison = gated(cells, make_run())
    assert [row.level for row in decision_rows(comparison)] == [1000]
    assert judge(comparison).headline == "regressed: peak-threads 8 → 9, +1"


def test_decision_rows_are_those_with_pairs() -> None:
    """They have the planned pairs or decision cells; else the last level decides."""
    run = make_gate_run(levels=(500, 1000, 2000), pairs=2)
    ladder = [make_cell(side, level) for level in (500, 1000, 2000) for side in Side]
    assert [row.level for row in decision_rows(gated(ladder, run))] == [2000]
    more = [make_cell(side, 500, pair=1) for side in Side]
    assert [row.level for row in decision_rows(gated(ladder + more, run))] == [500]
    cell = make_cell(Side.BASE, 1000, block=1)
    cell = structs.replace(cell, slot=structs.replace(cell.slot, phase=Phase.DECISION))
    assert [row.level for row in decision_rows(gated([*ladder, cell], run))] == [1000]


def test_cost_of_a_level_with_a_failed_cell_is_not_gated() -> None:
    """The other cells would look too good (survivorship bias)."""
    slot = Slot(side=Side.BASE, level=1000, block=4, pair=0, phase=Phase.DECISION)
    late = cell_at(slot, Outcome.TIMEOUT_PROGRESSING)
    cells = [*eight_pairs(500), *eight_pairs(1000, cpu=1.0), late]
    verdict = judge(gated(cells, make_gate_run(levels=(500, 1000))))
    refused = {(m.metric, m.level): m.refusal for m in verdict.metrics if m.level == 1000}
    reason = "a cell of this level failed, and the others would look too good (survivorship bias)"
    for name in ("cpu-ms/turn", "latency-infl", "rss-kb/sess"):
        assert refused[name, 1000] == reason
    assert verdict.verdict in {Verdict.EQUIVALENT, Verdict.NON_INFERIOR}
