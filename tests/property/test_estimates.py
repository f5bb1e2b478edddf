"""Intervals and tests: their bounds, and their symmetry in the sides."""

import math

import pytest
from hypothesis import assume, given, strategies as st

from harness.analysis.comparison import compare
from harness.analysis.stats.lines import fit_line, reach
from harness.analysis.stats.ratios import (
    Estimate,
    log_ratios,
    mean_of_logs,
    pseudomedian,
    ratio_of_pairs,
)
from harness.analysis.stats.tests import (
    holm,
    mcnemar,
    p_above,
    p_below,
    pairs_needed,
    smallest_effect,
)
from harness.model.nouns import Side
from tests.builders.model import make_block, make_run

POSITIVE = st.floats(min_value=1e-3, max_value=1e9)
PAIRS = st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=12)
POINTS = st.lists(
    st.tuples(st.integers(1, 20_000).map(float), st.floats(min_value=-1e6, max_value=1e6)),
    max_size=12,
)
CONFIDENCE = st.floats(min_value=0.5, max_value=0.999)
MARGIN = st.floats(min_value=-1, max_value=1)
PROBABILITIES = st.lists(st.floats(min_value=0, max_value=1), max_size=10)


def mirror(estimate: Estimate) -> Estimate:
    """Return an estimate in logarithms with the sides swapped."""
    low, high = estimate.low, estimate.high
    return Estimate(
        value=-estimate.value,
        low=None if high is None else -high,
        high=None if low is None else -low,
        n=estimate.n,
    )


@given(pairs=PAIRS, confidence=CONFIDENCE)
def test_ratio_lies_within_its_interval(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """The value is between the ends, and all are above zero."""
    found = ratio_of_pairs(pairs, confidence=confidence)
    assert found.n == len(pairs)
    if found.low is None or found.high is None:
        assert len(pairs) == 1
    else:
        assert 0 <= found.low <= found.value <= found.high


@given(pairs=PAIRS, confidence=CONFIDENCE)
def test_swapping_the_sides_negates_every_logarithm_to_the_bit(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """Only the sign depends on the choice of the base."""
    logs = log_ratios(pairs)
    swapped = log_ratios([(branch, base) for base, branch in pairs])
    assert swapped == [-value for value in logs]
    for estimate in (mean_of_logs, pseudomedian):
        found = estimate(logs, confidence=confidence)
        assert estimate(swapped, confidence=confidence) == mirror(found)


@given(pairs=PAIRS, margin=MARGIN)
def test_swapping_the_sides_mirrors_every_test_to_the_bit(
    pairs: list[tuple[float, float]], margin: float
) -> None:
    """A regression of the branch has the p value of the base's improvement."""
    logs = log_ratios(pairs)
    swapped = log_ratios([(branch, base) for base, branch in pairs])
    assert p_below(swapped, -margin) == p_above(logs, margin)
    assert p_above(swapped, -margin) == p_below(logs, margin)
    assert pairs_needed(swapped, -margin) == pairs_needed(logs, margin)


@given(pairs=PAIRS, margin=MARGIN)
def test_ratio_is_never_beyond_and_within_a_margin(
    pairs: list[tuple[float, float]], margin: float
) -> None:
    """The p values of the two tests add up to 1, or both are 1."""
    logs = log_ratios(pairs)
    above, below = p_above(logs, margin), p_below(logs, margin)
    assert 0 <= above <= 1
    assert above + below == pytest.approx(1) or (above, below) == (1, 1)


@given(logs=st.lists(st.floats(-1, 1), min_size=2, max_size=12), one=MARGIN, two=MARGIN)
def test_p_above_grows_with_the_margin(logs: list[float], one: float, two: float) -> None:
    """A wider margin never causes a regression."""
    lower, higher = sorted((one, two))
    assert p_above(logs, lower) <= p_above(logs, higher)


@given(p_values=PROBABILITIES)
def test_holm_raises_p_values_and_keeps_their_order(p_values: list[float]) -> None:
    """No adjusted value is lower than before, or exceeds 1."""
    adjusted = holm(p_values)
    assert all(raw <= new <= 1 for raw, new in zip(p_values, adjusted, strict=True))
    assert sorted(adjusted) == [new for _, new in sorted(zip(p_values, adjusted, strict=True))]
    bound = min(p_values, default=0) * len(p_values)
    assert min(adjusted, default=0) == min(1, bound)


@given(p_values=PROBABILITIES, more=PROBABILITIES)
def test_holm_is_stricter_with_more_tests(p_values: list[float], more: list[float]) -> None:
    """Another metric never makes a metric significant."""
    alone, together = holm(p_values), holm([*p_values, *more])
    assert all(one <= two for one, two in zip(alone, together, strict=False))


@given(base_only=st.integers(0, 40), branch_only=st.integers(0, 40))
def test_mcnemar_is_symmetric(base_only: int, branch_only: int) -> None:
    """The test is two-sided."""
    found = mcnemar(base_only, branch_only)
    assert 0 < found <= 1
    assert found == mcnemar(branch_only, base_only)


@given(pairs=PAIRS, confidence=CONFIDENCE)
def test_pseudomedian_lies_within_its_interval_and_among_the_pairs(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """Neither the estimate nor its ends are more extreme than the measured ratios."""
    found = pseudomedian(log_ratios(pairs), confidence=confidence).exp()
    ratios = [math.exp(value) for value in log_ratios(pairs)]
    assert min(ratios) <= found.value <= max(ratios)
    if found.low is not None and found.high is not None:
        assert min(ratios) <= found.low <= found.value <= found.high <= max(ratios)


@given(sd=st.floats(min_value=1e-6, max_value=1), n=st.integers(2, 100))
def test_more_pairs_detect_smaller_effects(sd: float, n: int) -> None:
    """One more pair detects a smaller effect, a stricter level a larger one."""
    one, more = smallest_effect(sd, n), smallest_effect(sd, n + 1)
    strict = smallest_effect(sd, n, alpha=0.025)
    assert one is not None
    assert more is not None
    assert strict is not None
    assert 0 < more < one < strict


@given(pairs=PAIRS)
def test_ratio_of_swapped_sides_is_the_inverse(pairs: list[tuple[float, float]]) -> None:
    """The choice of the base only inverts the ratio."""
    found = ratio_of_pairs(pairs)
    swapped = ratio_of_pairs([(branch, base) for base, branch in pairs])
    assert swapped.value == pytest.approx(1 / found.value)
    if found.low and found.high and swapped.high and math.isfinite(found.high * swapped.high):
        assert swapped.low == pytest.approx(1 / found.high)
        assert swapped.high == pytest.approx(1 / found.low)


@given(pairs=PAIRS, one=CONFIDENCE, two=CONFIDENCE)
def test_interval_grows_with_its_confidence(
    pairs: list[tuple[float, float]], one: float, two: float
) -> None:
    """More confidence never makes an interval narrower."""
    assume(len(pairs) > 1 and one < two)
    narrow, wide = (ratio_of_pairs(pairs, confidence=level) for level in (one, two))
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low <= narrow.low


@given(points=POINTS, confidence=CONFIDENCE)
def test_slope_lies_within_its_interval(
    points: list[tuple[float, float]], confidence: float
) -> None:
    """An interval contains the slope."""
    line = fit_line(points, confidence=confidence)
    if line is None:
        assert len({x for x, _ in points}) < 2
    elif line.slope.low is not None and line.slope.high is not None:
        assert line.slope.low <= line.slope.value <= line.slope.high


@given(points=POINTS, cap=st.floats(min_value=-1e7, max_value=1e7), confidence=CONFIDENCE)
def test_reach_lies_within_its_interval_and_on_the_line(
    points: list[tuple[float, float]], cap: float, confidence: float
) -> None:
    """The line is at the cap there, x is not negative, and the interval contains x."""
    line = fit_line(points, confidence=confidence)
    found = None if line is None else reach(line, cap)
    if line is None or found is None:
        assert line is None or line.slope.value <= 0 or line.at(0) > cap
        return
    scale = abs(cap) + abs(line.intercept)
    assert line.at(found.value) == pytest.approx(cap, rel=1e-6, abs=1e-9 * scale + 1e-9)
    if found.low is not None and found.high is not None:
        assert 0 <= found.low <= found.value <= found.high


@given(points=POINTS, shift=st.floats(min_value=-1e6, max_value=1e6))
def test_slope_does_not_depend_on_the_intercept(
    points: list[tuple[float, float]], shift: float
) -> None:
    """The cost of a process without sessions is no part of a session's cost."""
    line = fit_line(points)
    moved = fit_line([(x, y + shift) for x, y in points])
    if line is None:
        assert moved is None
    else:
        assert moved is not None
        assert moved.slope.value == pytest.approx(line.slope.value, rel=1e-6, abs=1e-3)


@given(values=st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE))
def test_comparison_of_swapped_sides_is_the_inverse(
    values: tuple[float, float, float, float],
) -> None:
    """All steps from cells to ratios are symmetric."""
    base, branch = ([{"cpu_ms_per_turn": v} for v in part] for part in (values[:2], values[2:]))
    run = make_run(levels=(500,))
    one = compare(run, make_block(500, base, branch), complete=True)
    two = compare(run, make_block(500, branch, base), complete=True)
    there, back = (c.rows[0].ratios["cpu-ms/turn"].value for c in (one, two))
    assert there * back == pytest.approx(1)
    assert one.knees[Side.BASE] == two.knees[Side.BRANCH]
