"""What all metrics of a comparison come to, and the line that says it."""

from collections.abc import Sequence

import pytest
from msgspec import structs

from harness.compare import Comparison, compare
from harness.margins import DEFAULT_MARGINS
from harness.model import (
    Arm,
    Cell,
    ExactCost,
    ExactCosts,
    Load,
    Outcome,
    Phase,
    Purity,
    RunInfo,
    Side,
)
from harness.verdict import MetricVerdict, Verdict, decision_rows, judge
from tests.fakes.builders import make_block, make_cell, make_run, ok_cell
from tests.fakes.gated import make_floor, make_gate_run, make_pairs

NOISE = (1.01, 0.99, 1.0, 1.02, 0.98, 1.01, 0.99, 1.0)


def _measured(
    cpu: float = 2.0, *, threads: float = 8, infl: float = 1.5, rss: float = 200.0
) -> list[dict[str, object]]:
    """Return what eight cells measured, CPU with a noise of 1.3 %."""
    return [
        {
            "cpu_ms_per_turn": cpu * noise,
            "peak_threads": int(threads),
            "latency_infl": infl,
            "rss_kb_per_session": rss,
        }
        for noise in NOISE
    ]


def _pairs(level: int = 500, **branch: float) -> list[Cell]:
    """Make eight pairs at a level, the branch's with other figures, and their noise in another order."""
    return make_pairs(level, _measured(), _measured(**branch)[::-1])


def _fails(
    side: Side, level: int, outcome: Outcome, count: int = 2, pct: float = 0.0
) -> list[Cell]:
    evidence = {"cpu-pct": pct}
    return [make_cell(side, level, outcome, pair=pair, evidence=evidence) for pair in range(count)]


def _holds(side: Side, level: int, infl: float = 1.5) -> Cell:
    return ok_cell(side, level, latency_infl=infl)


def _compared(cells: Sequence[Cell], run: RunInfo | None = None) -> Comparison:
    return compare(run or make_gate_run(), cells, complete=True)


def _line(cells: Sequence[Cell], run: RunInfo | None = None) -> str:
    return judge(_compared(cells, run)).headline


def _metric(comparison: Comparison, name: str) -> MetricVerdict:
    return next(metric for metric in judge(comparison).metrics if metric.metric == name)


LADDER = (500, 1000, 2000, 4000, 8000)


def test_headline_of_a_branch_that_collapses_lower() -> None:
    """From where to where, what binds it now, and then what else regressed: enough to act on."""
    cells = [
        *_pairs(cpu=2.76),
        _holds(Side.BASE, 1000),
        _holds(Side.BRANCH, 1000),
        _holds(Side.BASE, 2000),
        *_fails(Side.BRANCH, 2000, Outcome.THREADS),
        _holds(Side.BASE, 4000),
        *_fails(Side.BASE, 8000, Outcome.TIMEOUT_PROGRESSING, pct=99.0),
    ]
    run = make_gate_run(levels=LADDER, decision_levels=(500,))
    assert _line(cells, run) == (
        "regressed: capacity 4,000–8,000 → 1,000–2,000, bound by threads instead of CPU; "
        "cpu-ms/turn +38 % [+35, +41]"
    )


def test_headline_of_a_base_that_collapses_lower() -> None:
    """What is better, and that nothing else is worse."""
    cells = [*_pairs(cpu=1.0), *_fails(Side.BASE, 1000, Outcome.OOM), _holds(Side.BRANCH, 1000)]
    assert _line(cells) == (
        "improved: capacity 500–1,000 → at least 1,000, the base is bound by memory; "
        "cpu-ms/turn -50 % [-51, -49]; nothing that was judged is worse by more than its margin"
    )


def test_headline_of_late_sessions_is_about_capacity_alone() -> None:
    """Both hold every level, and the branch is beyond the objective at one that the base holds within it."""
    late = [
        structs.replace(cell, result=structs.replace(cell.result, wall_ms=1e3, cpu_sec=0.9))
        for cell in (_holds(Side.BRANCH, 1000, 2.5),) * 2
        if cell.result is not None
    ]
    cells = [*_pairs(), _holds(Side.BASE, 1000), *late]
    assert _line(cells, make_gate_run(decision_levels=(500,))) == (
        "regressed: capacity at least 1,000 → 500–1,000, the branch is bound by CPU"
    )


def test_headline_of_no_change_says_what_would_have_been_seen() -> None:
    """An answer of no difference is worth as much as the difference that it would have shown."""
    assert _line(_pairs()) == (
        "equivalent: nothing that was judged is worse by more than its margin; capacity at least 500 on both sides; "
        "would have seen cpu-ms/turn +13.2 %, latency-infl +5.0 %, rss-kb/sess +3.0 %"
    )


def test_headline_of_a_change_that_may_be_better_is_non_inferior() -> None:
    """A side that holds nothing within the objective has no capacity to show."""
    comparison = _compared(_pairs(cpu=1.83, infl=2.5), make_gate_run(levels=(500,)))
    cells = [
        structs.replace(c, result=structs.replace(c.result, latency_infl=2.5))
        for c in comparison.cells
        if c.result is not None
    ]
    verdict = judge(_compared(cells, make_gate_run(levels=(500,))))
    assert verdict.headline == (
        "non-inferior: nothing that was judged is worse by more than its margin; "
        "would have seen cpu-ms/turn +13.2 %, latency-infl +5.0 %, rss-kb/sess +3.0 %"
    )
    assert verdict.refused == ("capacity: neither side holds the lowest level",)


def test_headline_of_two_levels_names_each() -> None:
    """One metric is one part of the line, with all its levels; the most it would have seen is said once."""
    worse = _line([*_pairs(cpu=2.4), *_pairs(1000, cpu=2.6)])
    assert worse == (
        "regressed: cpu-ms/turn +20 % [+18, +22] at C=500, +30 % [+28, +32] at C=1,000"
    )
    one = _line([*_pairs(), *_pairs(1000, cpu=2.6)])
    assert one == "regressed: cpu-ms/turn +30 % [+28, +32] at C=1,000"
    assert "would have seen cpu-ms/turn +13.7 %, " in _line([*_pairs(), *_pairs(1000)])


def test_headline_of_what_is_open_comes_before_what_is_better() -> None:
    """What has to be decided first, and how many pairs would do it."""
    cells = [*_pairs(cpu=2.19, rss=150.0), *_fails(Side.BASE, 1000, Outcome.OOM, 1)]
    cells += [_holds(Side.BRANCH, 1000), *_fails(Side.BRANCH, 2000, Outcome.OOM)]
    assert _line(cells, make_gate_run(decision_levels=(500,))) == (
        "inconclusive: "
        "capacity 500–1,000 → 1,000–2,000 (C=1,000 gave way in 1 of 1 cell (memory), and it takes 2 of 3 to confirm it); "
        "cpu-ms/turn +9.5 % [+7.4, +11.6] (8 pairs do not decide, 155 would); "
        "improved: rss-kb/sess -25 % [-25, -25]"
    )


def test_headline_of_a_screen_says_how_many_pairs_would_decide() -> None:
    """Two pairs resolve little; how many would is the next thing to type."""
    cells = make_pairs(
        500, [{"cpu_ms_per_turn": 2.0}] * 2, [{"cpu_ms_per_turn": v} for v in (2.3, 2.34)]
    )
    assert _line(cells, make_run(levels=(500,))) == (
        "inconclusive: cpu-ms/turn +16.0 % [+4.0, +29.4] (2 pairs do not decide, 3 would)"
    )


def test_headline_of_one_pair_claims_nothing() -> None:
    """There is a ratio to show, without an interval."""
    cells = make_pairs(500, [{"cpu_ms_per_turn": 2.0}], [{"cpu_ms_per_turn": 30.0}])
    margins = {"cpu-ms/turn": DEFAULT_MARGINS["cpu-ms/turn"]}
    assert _line(cells, make_gate_run(levels=(500,), margins=margins)) == (
        "inconclusive: cpu-ms/turn ×15 (one pair decides nothing)"
    )


def test_headline_of_a_mean_on_the_margin_names_no_number_of_pairs() -> None:
    """More pairs would not help."""
    spread = (1.05, 1 / 1.05)
    cells = make_pairs(
        500,
        [{"cpu_ms_per_turn": 2.0}] * 2,
        [{"cpu_ms_per_turn": 2.2 * value} for value in spread],
    )
    margins = {"cpu-ms/turn": DEFAULT_MARGINS["cpu-ms/turn"]}
    assert _line(cells, make_gate_run(levels=(500,), margins=margins)) == (
        "inconclusive: cpu-ms/turn +10 % [-41, +104] (2 pairs do not decide)"
    )


def test_headline_of_many_regressions_counts_the_rest() -> None:
    """Four parts are a line, and six are none."""
    costs = tuple(
        ExactCost(name=name, base=100.0, branch=200.0, spread=0.0, reproducible=True)
        for name in ("instructions/turn", "traced-bytes/session", "allocated-blocks/session")
    )
    run = structs.replace(make_gate_run(), costs=_costs(*costs))
    assert _line(_pairs(cpu=4.0, threads=9, infl=1.8), run) == (
        "regressed: instructions/turn 100 → 200, +100.0 %, +100; traced-bytes/session 100 → 200, +100.0 %, +100; "
        "allocated-blocks/session 100 → 200, +100.0 %, +100; peak-threads 8 → 9, +1; and 2 more"
    )


def _costs(*costs: ExactCost) -> ExactCosts:
    return ExactCosts(
        arm=Arm.SC_MEM,
        load=Load(),
        costs=costs,
        levels={},
        missing=(),
        confinement="no network",
        python="3.13",
        wall_s=1.0,
    )


def test_counted_costs_are_judged_without_a_single_pair() -> None:
    """A turn that calls the system once more is a regression however quiet the host is, and the call is named."""
    cost = ExactCost(
        name="system-calls/turn",
        base=10.0,
        branch=11.0,
        spread=0.0,
        reproducible=True,
        detail={"fsync": (1.0, 2.0)},
    )
    run = structs.replace(make_gate_run(), costs=_costs(cost))
    assert _line([], run) == ("regressed: system-calls/turn 10 → 11, +10.0 %, +1 (fsync +1)")


def test_identical_builds_that_differ_make_the_run_invalid() -> None:
    """It cannot have been the change, in whichever direction they differ."""
    run = make_gate_run(purity=Purity.AA)
    for cpu, shown in ((2.4, "+20 % [+18, +22]"), (1.6, "-20 % [-22, -18]")):
        verdict = judge(_compared(_pairs(cpu=cpu), run))
        assert verdict.verdict is Verdict.INVALID
        assert verdict.headline == (
            f"invalid: identical builds differ, so that this host cannot tell: cpu-ms/turn {shown}"
        )


def test_identical_builds_that_do_not_differ_are_equivalent() -> None:
    """The gate stays quiet where there is nothing to find."""
    assert judge(_compared(_pairs(), make_gate_run(purity=Purity.AA))).verdict == "equivalent"


def test_a_cell_that_is_invalid_twice_makes_the_run_invalid() -> None:
    """Even one that regressed: the host was disturbed while it was measured."""
    twice = [
        make_cell(Side.BRANCH, 1000, Outcome.INVALID, attempt=attempt, reason="host pressure")
        for attempt in (0, 1)
    ]
    verdict = judge(_compared([*_pairs(cpu=4.0), *twice]))
    assert verdict.verdict is Verdict.INVALID
    assert verdict.headline == "invalid: the branch at C=1,000 was invalid twice (host pressure)"
    assert judge(_compared([*_pairs(), twice[0]])).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([], "no cell was run of the base and the branch"),
        ([make_cell(Side.BASE, 500)], "no cell was run of the branch"),
        (
            [make_cell(side, 500, Outcome.OOM) for side in Side],
            "neither side holds the lowest level",
        ),
    ],
)
def test_nothing_to_compare_is_inconclusive(cells: list[Cell], why: str) -> None:
    """No cell, one side only, or no level that either holds."""
    verdict = judge(_compared(cells))
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.headline == f"inconclusive: nothing could be gated: {why}"
    assert verdict.refused == (f"knee: {why}", f"capacity: {why}")


def test_a_refused_margin_is_named_and_decides_nothing() -> None:
    """The rest is judged; whoever asks to be strict is told what was not."""
    run = make_gate_run(floor=make_floor(cpu=0.12))
    verdict = judge(_compared(_pairs(cpu=4.0), run))
    assert verdict.verdict is Verdict.EQUIVALENT
    assert verdict.refused == (
        "cpu-ms/turn at C=500: its margin of 10 % is below what 8 pairs can see here, 12.5 %",
    )


def test_a_metric_without_a_margin_is_not_missed() -> None:
    """Somebody took it out: that is no refusal."""
    run = make_gate_run(margins={"peak-threads": DEFAULT_MARGINS["peak-threads"]})
    verdict = judge(_compared(_pairs(cpu=4.0), run))
    assert (verdict.verdict, verdict.refused) == (Verdict.EQUIVALENT, ())
    assert not _metric(_compared(_pairs(), run), "cpu-ms/turn").is_gated


def test_a_metric_that_no_pair_measured_is_refused() -> None:
    """A load without pacing has no latency inflation, and a null is no figure."""
    nulls = [fields | {"latency_infl": 0.0, "rss_kb_per_session": None} for fields in _measured()]
    verdict = judge(_compared(make_pairs(500, nulls, nulls)))
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


def test_cells_without_a_result_have_nothing_to_compare_but_their_outcome() -> None:
    """Stored cells may have lost what they measured."""
    cells = [make_cell(side, 500, result=None, peak_threads=None) for side in Side]
    verdict = judge(_compared(cells, make_run(levels=(500,))))
    assert [metric.metric for metric in verdict.metrics if metric.is_gated] == ["knee", "capacity"]


def test_a_side_that_fails_more_often_is_worse_though_the_level_is_not_confirmed() -> None:
    """Six of sixteen failed are no two of three, and they are no chance either."""
    failing = {1, 3, 6, 8, 11, 14}
    cells = []
    for index in range(16):
        outcome = Outcome.ERRORS if index in failing else Outcome.OK
        block, pair = divmod(index, 2)
        cells += [
            make_cell(Side.BASE, 500, block=block, pair=pair),
            make_cell(Side.BRANCH, 500, outcome, block=block, pair=pair),
        ]
    failed = _metric(_compared(cells), "failed cells")
    assert (failed.base, failed.branch, failed.change) == ("0 of 16", "6 of 16", "6 pairs differ")
    assert failed.p == pytest.approx(2 / 64)
    assert _line(cells) == "regressed: failed cells 0 of 16 → 6 of 16, 6 pairs differ"
    swapped = [
        structs.replace(c, slot=structs.replace(c.slot, side=c.slot.side.other)) for c in cells
    ]
    assert _metric(_compared(swapped), "failed cells").verdict is Verdict.IMPROVED


def test_screen_is_judged_by_the_default_margins_at_the_last_level_that_both_pass() -> None:
    """A comparison that is no gate has no margins of its own, and no decision levels."""
    cells = make_block(500) + make_block(1000, branch=({"peak_threads": 9}, {}))
    comparison = _compared(cells, make_run())
    assert [row.level for row in decision_rows(comparison)] == [1000]
    assert judge(comparison).headline == "regressed: peak-threads 8 → 9, +1"


def test_decision_rows_are_those_that_were_given_pairs() -> None:
    """Levels with as many pairs as were wanted, or with cells that were run to decide; else the last that both pass."""
    run = make_gate_run(levels=(500, 1000, 2000), pairs=2)
    ladder = [make_cell(side, level) for level in (500, 1000, 2000) for side in Side]
    assert [row.level for row in decision_rows(_compared(ladder, run))] == [2000]
    more = [make_cell(side, 500, pair=1) for side in Side]
    assert [row.level for row in decision_rows(_compared(ladder + more, run))] == [500]
    cell = make_cell(Side.BASE, 1000, block=1)
    cell = structs.replace(cell, slot=structs.replace(cell.slot, phase=Phase.DECISION))
    assert [row.level for row in decision_rows(_compared([*ladder, cell], run))] == [1000]
