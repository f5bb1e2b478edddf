"""Intervals: their bounds, and what swapping the sides does to them."""

import math

import pytest
from hypothesis import assume, given, strategies as st

from harness.compare import compare
from harness.model import Side
from harness.stats import ratio_of_pairs, slope
from tests.fakes.builders import make_block, make_run

POSITIVE = st.floats(min_value=1e-3, max_value=1e9)
PAIRS = st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=12)
POINTS = st.lists(
    st.tuples(st.integers(1, 20_000).map(float), st.floats(min_value=-1e6, max_value=1e6)),
    max_size=12,
)
CONFIDENCE = st.floats(min_value=0.5, max_value=0.999)


@given(pairs=PAIRS, confidence=CONFIDENCE)
def test_ratio_lies_within_its_interval(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """The ends are on their sides of the value, and above zero as every ratio is."""
    found = ratio_of_pairs(pairs, confidence=confidence)
    assert found.n == len(pairs)
    if found.low is None or found.high is None:
        assert len(pairs) == 1
    else:
        assert 0 <= found.low <= found.value <= found.high


@given(pairs=PAIRS)
def test_ratio_of_swapped_sides_is_the_inverse(pairs: list[tuple[float, float]]) -> None:
    """Which side is called the base does not change what is found."""
    found = ratio_of_pairs(pairs)
    swapped = ratio_of_pairs([(branch, base) for base, branch in pairs])
    assert swapped.value == pytest.approx(1 / found.value)
    if found.low and found.high and swapped.high and math.isfinite(found.high * swapped.high):
        assert swapped.low == pytest.approx(1 / found.high)
        assert swapped.high == pytest.approx(1 / found.low)


@given(pairs=PAIRS, one=CONFIDENCE, two=CONFIDENCE)
def test_ratio_is_wider_the_surer_it_is(
    pairs: list[tuple[float, float]], one: float, two: float
) -> None:
    """More confidence is never a narrower interval."""
    assume(len(pairs) > 1 and one < two)
    narrow, wide = (ratio_of_pairs(pairs, confidence=level) for level in (one, two))
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low <= narrow.low


@given(points=POINTS, confidence=CONFIDENCE)
def test_slope_lies_within_its_interval(
    points: list[tuple[float, float]], confidence: float
) -> None:
    """Where there is an interval, it holds the slope."""
    found = slope(points, confidence=confidence)
    if found is None:
        assert len({x for x, _ in points}) < 2
    elif found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high


@given(points=POINTS, shift=st.floats(min_value=-1e6, max_value=1e6))
def test_slope_does_not_move_with_its_start(
    points: list[tuple[float, float]], shift: float
) -> None:
    """What a process costs before its first session is no part of what a session costs."""
    found = slope(points)
    moved = slope([(x, y + shift) for x, y in points])
    if found is None:
        assert moved is None
    else:
        assert moved is not None
        assert moved.value == pytest.approx(found.value, rel=1e-6, abs=1e-3)


@given(values=st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE))
def test_comparison_of_swapped_sides_is_the_inverse(
    values: tuple[float, float, float, float],
) -> None:
    """The whole way from cells to ratios treats both sides alike."""
    base, branch = ([{"cpu_ms_per_turn": v} for v in part] for part in (values[:2], values[2:]))
    run = make_run(levels=(500,))
    one = compare(run, make_block(500, base, branch), complete=True)
    two = compare(run, make_block(500, branch, base), complete=True)
    there, back = (c.rows[0].ratios["cpu-ms/turn"].value for c in (one, two))
    assert there * back == pytest.approx(1)
    assert one.knees[Side.BASE] == two.knees[Side.BRANCH]
