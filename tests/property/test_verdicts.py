"""Swapping the sides mirrors every verdict, exactly."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from harness.analysis.comparison import compare
from harness.analysis.stats.tests import holm, p_above, p_below
from harness.analysis.verdict.estimated import margin_bounds, stand
from harness.analysis.verdict.kinds import MetricVerdict, Standing, Verdict
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


@st.composite
def _cells(draw: st.DrawFn) -> list[Cell]:
    """Draw pairs of cells up the ladder: close to one another or far apart, most of them ok."""
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
    """Draw what was counted: of both sides or of one, reproducible or not."""
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
    """Draw gates by the default margins, and by others, with and without a floor and counted costs."""
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
    """Give each cell, and each counted cost, to the other side."""
    there = [
        structs.replace(cell, slot=structs.replace(cell.slot, side=cell.slot.side.other))
        for cell in cells
    ]
    if run.costs is None:
        return run, there
    costs = tuple(
        structs.replace(
            cost,
            base=cost.branch,
            branch=cost.base,
            detail={name: (branch, base) for name, (base, branch) in cost.detail.items()},
        )
        for cost in run.costs.costs
    )
    return structs.replace(run, costs=structs.replace(run.costs, costs=costs)), there


def _judged(run: RunInfo, cells: Sequence[Cell]) -> tuple[Verdict, tuple[MetricVerdict, ...]]:
    verdict = judge(compare(run, cells, complete=True))
    return verdict.verdict, verdict.metrics


def _assert_mirrors(one: MetricVerdict, two: MetricVerdict) -> None:
    """Non-inferior is one half of a symmetric statement: of the other half it can only be said that it is open."""
    assert (one.base, one.branch) == (two.branch, two.base)
    assert bool(one.refusal) == bool(two.refusal)
    assert one.p == two.p
    if one.verdict is Verdict.NON_INFERIOR:
        assert two.verdict is Verdict.INCONCLUSIVE
    elif one.verdict is Verdict.INCONCLUSIVE:
        assert two.verdict in {Verdict.INCONCLUSIVE, Verdict.NON_INFERIOR}
    else:
        assert two.verdict is one.verdict.mirror


@given(run=_runs(), cells=_cells())
def test_verdicts_of_swapped_sides_are_mirrored(run: RunInfo, cells: list[Cell]) -> None:
    """Whatever was measured, each metric says of the one side what it said of the other."""
    _, there = _judged(run, cells)
    _, back = _judged(*_swapped(run, cells))
    assert [(m.metric, m.level) for m in there] == [(m.metric, m.level) for m in back]
    for one, two in zip(there, back, strict=True):
        _assert_mirrors(one, two)


@given(run=_runs(), cells=_cells())
def test_verdict_of_the_change_is_mirrored_where_that_follows(
    run: RunInfo, cells: list[Cell]
) -> None:
    """An improvement is a regression seen from the other side; a regression is one only if nothing else was worse or open."""
    there, metrics = _judged(run, cells)
    back, _ = _judged(*_swapped(run, cells))
    said = {metric.verdict for metric in metrics if metric.is_gated}
    if there in {Verdict.INVALID, Verdict.EQUIVALENT}:
        assert back is there
    if there is Verdict.IMPROVED:
        assert back is Verdict.REGRESSED
    if there is Verdict.REGRESSED and said <= {Verdict.REGRESSED, Verdict.EQUIVALENT}:
        assert back is Verdict.IMPROVED


@given(run=_runs(), cells=_cells())
def test_ratios_of_swapped_sides_are_reciprocal(run: RunInfo, cells: list[Cell]) -> None:
    """To the last bits of an exponential; in logarithms, by which it is decided, to the bit."""
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
def test_standing_of_swapped_sides_is_mirrored(
    pairs: list[tuple[float, float]], margin: Margin, others: list[float]
) -> None:
    """Where pairs stand to a margin is symmetric, with all six places that there are."""
    there = _standing(pairs, margin, others)
    back = _standing([(branch, base) for base, branch in pairs], margin, others)
    assert back is there.mirror


def _standing(
    pairs: Sequence[tuple[float, float]], margin: Margin, others: Sequence[float]
) -> Standing:
    logs = [math.log(branch) - math.log(base) for base, branch in pairs]
    means = [
        math.exp(math.fsum(map(math.log, side)) / len(pairs)) for side in zip(*pairs, strict=True)
    ]
    limits = margin_bounds(margin, means[0], means[1])
    worse, *_ = holm([p_above(logs, limits.upper), *others])
    better, *_ = holm([p_below(logs, limits.lower), *others])
    return stand(logs, limits, worse, better)


@given(run=_runs(), cells=_cells())
def test_pairs_that_would_decide_are_more_than_there_are(run: RunInfo, cells: list[Cell]) -> None:
    """A run that is told to take as many pairs as it has would not know what to do."""
    _, metrics = _judged(run, cells)
    for metric in metrics:
        if metric.needed is not None:
            assert metric.ratio is not None
            assert metric.needed > metric.ratio.n


@given(cells=_cells())
def test_identical_measurements_never_differ(cells: list[Cell]) -> None:
    """A base whose every cell is copied to the branch has no metric that is better or worse."""
    here = [cell for cell in cells if cell.slot.side is Side.BASE]
    both = [
        structs.replace(cell_at(structs.replace(c.slot, side=side), c.outcome), result=c.result)
        for c in here
        for side in Side
    ]
    _, metrics = _judged(make_gate_run(levels=LEVELS), both)
    said = {metric.verdict for metric in metrics if metric.is_gated}
    assert not said & {Verdict.REGRESSED, Verdict.IMPROVED}
