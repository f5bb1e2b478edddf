"""The headline of a verdict."""

from msgspec import structs

from harness.analysis.verdict.overall import judge
from harness.model.costs import ExactCost
from harness.model.nouns import Outcome, Side
from tests.builders.gated import (
    TENTHS,
    counted,
    eight_pairs,
    fails,
    gated,
    holds,
    line_of,
    make_gate_run,
    make_pairs,
)
from tests.builders.model import make_run

LADDER = (500, 1000, 2000, 4000, 8000)


def test_headline_of_a_branch_that_collapses_lower() -> None:
    """It has both brackets, the resources, and the other regressions."""
    cells = [
        *eight_pairs(cpu=2.76),
        holds(Side.BASE, 1000),
        holds(Side.BRANCH, 1000),
        holds(Side.BASE, 2000),
        *fails(Side.BRANCH, 2000, Outcome.THREADS),
        holds(Side.BASE, 4000),
        *fails(Side.BASE, 8000, Outcome.TIMEOUT_PROGRESSING, pct=99.0),
    ]
    run = make_gate_run(levels=LADDER, decision_levels=(500,))
    assert line_of(cells, run) == (
        "regressed: capacity 4,000–8,000 → 1,000–2,000, bound by threads instead of CPU; "
        "cpu-ms/turn +38 % [+35, +41]"
    )


def test_headline_of_a_base_that_collapses_lower() -> None:
    """It has the improvements, and that no metric is worse."""
    cells = [*eight_pairs(cpu=1.0), *fails(Side.BASE, 1000, Outcome.OOM), holds(Side.BRANCH, 1000)]
    assert line_of(cells) == (
        "improved: capacity 500–1,000 → at least 1,000, the base is bound by memory; "
        "cpu-ms/turn -50 % [-51, -49]; no judged metric is worse by more than its margin"
    )


def test_headline_of_late_sessions_is_about_capacity_alone() -> None:
    """Both sides hold every level, but the branch exceeds the objective at one."""
    late = [
        structs.replace(cell, result=structs.replace(cell.result, wall_ms=1e3, cpu_sec=0.9))
        for cell in (holds(Side.BRANCH, 1000, 2.5),) * 2
        if cell.result is not None
    ]
    cells = [*eight_pairs(), holds(Side.BASE, 1000), *late]
    assert line_of(cells, make_gate_run(decision_levels=(500,))) == (
        "regressed: capacity at least 1,000 → 500–1,000, the branch is bound by CPU"
    )


def test_headline_of_no_change_has_the_smallest_detectable_change() -> None:
    """A result without a difference needs the difference that could be detected."""
    assert line_of(eight_pairs()) == (
        "equivalent: no judged metric is worse by more than its margin; capacity at least 500 on both sides; "
        "smallest detectable change: cpu-ms/turn +13.2 %, latency-infl +5.0 %, rss-kb/sess +3.0 %"
    )


def test_headline_of_a_change_that_may_be_better_is_non_inferior() -> None:
    """A side that exceeds the objective at every level has no capacity."""
    comparison = gated(eight_pairs(cpu=1.83, infl=2.5), make_gate_run(levels=(500,)))
    cells = [
        structs.replace(c, result=structs.replace(c.result, latency_infl=2.5))
        for c in comparison.cells
        if c.result is not None
    ]
    verdict = judge(gated(cells, make_gate_run(levels=(500,))))
    assert verdict.headline == (
        "non-inferior: no judged metric is worse by more than its margin; "
        "smallest detectable change: cpu-ms/turn +13.2 %, latency-infl +5.0 %, rss-kb/sess +3.0 %"
    )
    assert verdict.refused == ("capacity: neither side holds the lowest level",)


def test_headline_of_two_levels_names_each() -> None:
    """A metric is one part with all its levels."""
    worse = line_of([*eight_pairs(cpu=2.4), *eight_pairs(1000, cpu=2.6)])
    assert worse == (
        "regressed: cpu-ms/turn +20 % [+18, +22] at C=500, +30 % [+28, +32] at C=1,000"
    )
    one = line_of([*eight_pairs(), *eight_pairs(1000, cpu=2.6)])
    assert one == "regressed: cpu-ms/turn +30 % [+28, +32] at C=1,000"
    assert "smallest detectable change: cpu-ms/turn +13.7 %, " in line_of(
        [*eight_pairs(), *eight_pairs(1000)]
    )


def test_headline_has_open_metrics_before_improvements() -> None:
    """It names the pairs that would decide."""
    cells = [*eight_pairs(cpu=2.19, rss=150.0), *fails(Side.BASE, 1000, Outcome.OOM, 1)]
    cells += [holds(Side.BRANCH, 1000), *fails(Side.BRANCH, 2000, Outcome.OOM)]
    assert line_of(cells, make_gate_run(decision_levels=(500,))) == (
        "inconclusive: "
        "capacity 500–1,000 → 1,000–2,000 (C=1,000 failed in 1 of 1 cell; 2 of 3 would confirm it; bound by memory); "
        "cpu-ms/turn +9.5 % [+7.4, +11.6] (needs at least 155 pairs); "
        "improved: rss-kb/sess -25 % [-25, -25]"
    )


def test_headline_of_a_screen_names_the_pairs_that_would_decide() -> None:
    """The user types this number next."""
    cells = make_pairs(
        500, [{"cpu_ms_per_turn": 2.0}] * 2, [{"cpu_ms_per_turn": v} for v in (2.3, 2.34)]
    )
    assert line_of(cells, make_run(levels=(500,))) == (
        "inconclusive: cpu-ms/turn +16.0 % [+4.0, +29.4] (needs at least 3 pairs)"
    )


def test_headline_of_one_pair_has_no_interval() -> None:
    """One pair has only a ratio."""
    cells = make_pairs(500, [{"cpu_ms_per_turn": 2.0}], [{"cpu_ms_per_turn": 30.0}])
    margins = {"cpu-ms/turn": TENTHS["cpu-ms/turn"]}
    assert line_of(cells, make_gate_run(levels=(500,), margins=margins)) == (
        "inconclusive: cpu-ms/turn ×15 (one pair is not enough)"
    )


def test_headline_of_a_mean_on_the_margin_names_no_number_of_pairs() -> None:
    """More pairs would not decide."""
    spread = (1.05, 1 / 1.05)
    cells = make_pairs(
        500,
        [{"cpu_ms_per_turn": 2.0}] * 2,
        [{"cpu_ms_per_turn": 2.2 * value} for value in spread],
    )
    margins = {"cpu-ms/turn": TENTHS["cpu-ms/turn"]}
    assert line_of(cells, make_gate_run(levels=(500,), margins=margins)) == (
        "inconclusive: cpu-ms/turn +10 % [-41, +104] (2 pairs are not enough)"
    )


def test_headline_of_many_regressions_counts_the_rest() -> None:
    """It shows four parts."""
    costs = tuple(
        ExactCost(name=name, base=100.0, branch=200.0, spread=0.0, reproducible=True)
        for name in ("instructions/turn", "traced-bytes/session", "allocated-blocks/session")
    )
    run = structs.replace(make_gate_run(), costs=counted(*costs))
    assert line_of(eight_pairs(cpu=4.0, threads=9, infl=1.8), run) == (
        "regressed: instructions/turn 100 → 200, +100.0 %, +100; traced-bytes/session 100 → 200, +100.0 %, +100; "
        "allocated-blocks/session 100 → 200, +100.0 %, +100; peak-threads 8 → 9, +1; and 2 more"
    )
