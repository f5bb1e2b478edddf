"""Verdicts are symmetric: swapping the sides mirrors them exactly."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.stats.tests import holm, p_above, p_below
from harness.analysis.verdict.estimated import ALPHA, judge_logs, margin_bounds
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.analysis.verdict.overall import judge
from harness.model.cells import Cell
from harness.model.costs import ExactCost, ExactCosts
from harness.model.gate import DEFAULT_MARGINS, Margin, NoiseFloor
from harness.model.nouns import Arm, Load, Outcome, Purity, Side
from harness.model.runs import RunInfo
from tests.builders.gated import make_gate_run, make_noise_floor
from tests.builders.model import cell_at, make_cell, make_result

LEVELS = (500, 1000, 2000)
FIGURES = st.floats(min_value=0.5, max_value=4.0)
RARELY_NULL = st.one_of(FIGURES, FIGURES, FIGURES, st.sampled_from([None, 0.0]))
FAILURES = (Outcome.OOM, Outcome.THREADS, Outcome.TIMEOUT_PROGRESSING, Outcome.ERRORS)
MARGINS = st.one_of(
    st.builds(Margin, amount=st.sampled_from([0.0, 0.05, 0.5]), is_relative=st.booleans()),
    st.none(),
)
ABSOLUTE = Margin(amount=0.25, is_relative=False)
MIRROR = {
    Verdict.REGRESSED: Verdict.IMPROVED,
    Verdict.IMPROVED: Verdict.REGRESSED,
    Verdict.EQUIVALENT: Verdict.EQUIVALENT,
    Verdict.NON_INFERIOR: Verdict.INCONCLUSIVE,
}
"""The verdict with the sides swapped, where it follows from the verdict alone."""


@st.composite
def _cells(draw: st.DrawFn) -> list[Cell]:
    """Draw pairs of cells on the ladder: similar or different ones, most of them ok."""
    cells = []
    for level in LEVELS:
        factor = draw(st.sampled_from([1.0, 1.0, 1.04, 1.2, 0.8, 3.0]))
        for index in range(draw(st.integers(min_value=0, max_value=8))):
            for side in Side:
                fails = draw(st.integers(min_value=0, max_value=9)) == 0
                outcome = draw(st.sampled_from(FAILURES)) if fails else Outcome.OK
                bare = make_cell(side, level, outcome, block=index // 2, pair=index % 2)
                cells.append(_measured(draw, bare, 1.0 if side is Side.BASE else factor))
    return cells


def _measured(draw: st.DrawFn, cell: Cell, factor: float) -> Cell:
    if cell.outcome is not Outcome.OK:
        return structs.replace(cell, peak_threads=draw(st.one_of(st.none(), st.just(9))))
    noise = draw(st.sampled_from([1.0, 0.99, 1.01, 1.03, 0.97]))
    threads = draw(st.sampled_from([8, 8, 8, 9, 1000]))
    result = make_result(
        cell.slot.level,
        cpu_ms_per_turn=draw(RARELY_NULL) if draw(st.booleans()) else 2.0 * factor * noise,
        latency_infl=1.5 * factor * noise,
        rss_kb_per_session=draw(RARELY_NULL),
        peak_threads=threads,
        wall_ms=1000.0,
        cpu_sec=draw(st.sampled_from([0.5, 0.9])),
    )
    return structs.replace(cell, result=result, peak_threads=threads)


@st.composite
def _costs(draw: st.DrawFn) -> ExactCosts:
    """Draw counted costs: of both sides or of one, reproducible or not."""
    slope = st.one_of(st.none(), st.floats(min_value=-1.0, max_value=1e6))
    costs = tuple(
        ExactCost(
            name=name,
            base=(base := draw(slope)),
            branch=draw(st.one_of(st.just(base), slope)),
            spread=None,
            reproducible=draw(st.booleans()),
            detail={"fsync": (draw(FIGURES), draw(FIGURES))},
        )
        for name in ("instructions/turn", "system-calls/turn")
    )
    return ExactCosts(
        arm=Arm.SC_MEM,
        load=Load(),
        costs=costs,
        levels={},
        missing=(),
        confinement="none",
        python="3.13",
        wall_s=1.0,
    )


@st.composite
def _runs(draw: st.DrawFn) -> RunInfo:
    """Draw gates with different margins, noise floors and counted costs."""
    drawn = {name: draw(MARGINS) for name in DEFAULT_MARGINS}
    own = {name: margin for name, margin in drawn.items() if margin is not None}
    margins = draw(st.sampled_from([dict(DEFAULT_MARGINS), own]))
    noise_floor: NoiseFloor | None = draw(
        st.sampled_from([None, None, make_noise_floor(cpu=0.05, latency=0.3)])
    )
    return make_gate_run(
        levels=LEVELS,
        margins=margins,
        noise_floor=noise_floor,
        pairs=draw(st.sampled_from([2, 4, 8])),
        purity=draw(st.sampled_from([Purity.CHANGE, Purity.CHANGE, Purity.AA])),
        costs=draw(st.one_of(st.none(), _costs())),
    )


def _swapped(run: RunInfo, cells: Sequence[Cell]) -> tuple[RunInfo, list[Cell]]:
    """Move each cell and each counted cost to the other side."""
    moved = [
        structs.replace(cell, slot=structs.replace(cell.slot, side=cell.slot.side.other))
        for cell in cells
    ]
    if run.costs is None:
        return run, moved
    costs = tuple(
        structs.replace(
            cost,
            base=cost.branch,
            branch=cost.base,
            detail={name: (branch, base) for name, (base, branch) in cost.detail.items()},
        )
        for cost in run.costs.costs
    )
    return structs.replace(run, costs=structs.replace(run.costs, costs=costs)), moved


def _judged(run: RunInfo, cells: Sequence[Cell]) -> tuple[Verdict, tuple[MetricVerdict, ...]]:
    verdict = judge(compare(run, cells, complete=True))
    return verdict.verdict, verdict.metrics


def _assert_mirrors(one: MetricVerdict, two: MetricVerdict) -> None:
    """An inconclusive metric may be non-inferior with the sides swapped."""
    assert (one.base, one.branch) == (two.branch, two.base)
    assert bool(one.refusal) == bool(two.refusal)
    assert one.p == two.p
    if one.verdict is Verdict.INCONCLUSIVE:
        assert two.verdict in {Verdict.INCONCLUSIVE, Verdict.NON_INFERIOR}
    else:
        assert two.verdict is MIRROR[one.verdict]


@given(run=_runs(), cells=_cells())
def test_verdicts_of_swapped_sides_are_mirrored(run: RunInfo, cells: list[Cell]) -> None:
    """This holds for each metric of any measurement."""
    _, there = _judged(run, cells)
    _, back = _judged(*_swapped(run, cells))
    assert [(m.metric, m.level) for m in there] == [(m.metric, m.level) for m in back]
    for one, two in zip(there, back, strict=True):
        _assert_mirrors(one, two)


@given(run=_runs(), cells=_cells())
def test_verdict_of_the_change_is_mirrored_where_that_follows(
    run: RunInfo, cells: list[Cell]
) -> None:
    """A swapped regression is an improvement if no metric is worse or open."""
    there, metrics = _judged(run, cells)
    back, _ = _judged(*_swapped(run, cells))
    verdicts = {metric.verdict for metric in metrics if metric.is_gated}
    if there in {Verdict.INVALID, Verdict.EQUIVALENT}:
        assert back is there
    if there is Verdict.IMPROVED:
        assert back is Verdict.REGRESSED
    if there is Verdict.REGRESSED and verdicts <= {Verdict.REGRESSED, Verdict.EQUIVALENT}:
        assert back is Verdict.IMPROVED


@given(run=_runs(), cells=_cells())
def test_ratios_of_swapped_sides_are_reciprocal(run: RunInfo, cells: list[Cell]) -> None:
    """They are, up to rounding; their logarithms are exactly opposite."""
    _, there = _judged(run, cells)
    _, back = _judged(*_swapped(run, cells))
    for one, two in zip(there, back, strict=True):
        if one.ratio is None or two.ratio is None:
            assert one.ratio is two.ratio
            continue
        assert one.ratio.value * two.ratio.value == pytest.approx(1)
        assert (one.ratio.low is None) == (two.ratio.high is None)
        if one.ratio.low and two.ratio.high and math.isfinite(two.ratio.high):
            assert one.ratio.low * two.ratio.high == pytest.approx(1)


@given(
    pairs=st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=9),
    margin=st.one_of(MARGINS.filter(bool), st.just(ABSOLUTE)),
    others=st.lists(st.floats(min_value=0.0, max_value=1.0), max_size=3),
)
def test_verdict_on_swapped_logs_is_mirrored(
    pairs: list[tuple[float, float]], margin: Margin, others: list[float]
) -> None:
    """An inconclusive metric is, swapped, non-inferior above the lower bound."""
    logs = [math.log(branch) - math.log(base) for base, branch in pairs]
    means = [
        math.exp(math.fsum(map(math.log, side)) / len(pairs)) for side in zip(*pairs, strict=True)
    ]
    lower = margin_bounds(margin, means[0], means[1]).lower
    verdict = _judge_logs(logs, means, margin, others)
    swapped = _judge_logs([-log for log in logs], means[::-1], margin, others)
    is_not_better = p_above(logs, lower) <= ALPHA
    open_end = Verdict.NON_INFERIOR if is_not_better else Verdict.INCONCLUSIVE
    assert swapped is MIRROR.get(verdict, open_end)


def _judge_logs(
    logs: Sequence[float], means: Sequence[float], margin: Margin, others: Sequence[float]
) -> Verdict:
    bounds = margin_bounds(margin, means[0], means[1])
    worse, *_ = holm([p_above(logs, bounds.upper), *others])
    better, *_ = holm([p_below(logs, bounds.lower), *others])
    return judge_logs(logs, bounds, worse, better)


@given(run=_runs(), cells=_cells())
def test_pairs_needed_are_more_than_there_are(run: RunInfo, cells: list[Cell]) -> None:
    """An advice to run as many pairs as before would not help."""
    _, metrics = _judged(run, cells)
    for metric in metrics:
        if metric.needed is not None:
            assert metric.ratio is not None
            assert metric.needed > metric.ratio.n


@given(cells=_cells())
def test_identical_measurements_never_differ(cells: list[Cell]) -> None:
    """No metric of a branch that copies the base's cells is better or worse."""
    here = [cell for cell in cells if cell.slot.side is Side.BASE]
    both = [
        structs.replace(cell_at(structs.replace(c.slot, side=side), c.outcome), result=c.result)
        for c in here
        for side in Side
    ]
    _, metrics = _judged(make_gate_run(levels=LEVELS), both)
    verdicts = {metric.verdict for metric in metrics if metric.is_gated}
    assert not verdicts & {Verdict.REGRESSED, Verdict.IMPROVED}
