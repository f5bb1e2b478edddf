"""Interval estimates, against scipy's own as an oracle."""

import itertools
import math

import pytest
from scipy import stats as oracle

from harness.stats import Estimate, geometric_mean, ratio_of_pairs, slope

PAIRS = [
    [(100.0, 110.0), (102.0, 115.0)],
    [(1.0, 2.0), (1.1, 2.1), (0.9, 2.4)],
    [
        (5.0, 4.0),
        (5.5, 4.1),
        (5.2, 4.4),
        (5.1, 3.9),
        (4.9, 4.2),
        (5.3, 4.0),
        (5.0, 4.1),
        (5.6, 3.8),
    ],
    [(1e-6, 3e6), (2e-6, 1e6)],
]


@pytest.mark.parametrize(
    ("pairs", "confidence"), list(itertools.product(PAIRS, [0.8, 0.95, 0.99]))
)
def test_ratio_of_pairs_agrees_with_a_one_sample_t_test_on_logs(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """The interval is that of Student's t over the logarithms of the ratios."""
    logs = [math.log(branch / base) for base, branch in pairs]
    expected = oracle.ttest_1samp(logs, 0).confidence_interval(confidence)
    found = ratio_of_pairs(pairs, confidence=confidence)
    assert found.value == pytest.approx(oracle.gmean([branch / base for base, branch in pairs]))
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(min(expected.high, 709)), rel=1e-6) or (
        found.high == math.inf
    )
    assert found.n == len(pairs)


def test_ratio_of_one_pair_has_no_interval() -> None:
    """One pair shows a ratio and nothing of its spread."""
    assert ratio_of_pairs([(2.0, 1.0)]) == Estimate(value=0.5, low=None, high=None, n=1)


def test_ratio_of_equal_pairs_is_a_point() -> None:
    """Pairs without spread have an interval without width."""
    found = ratio_of_pairs([(2.0, 4.0), (3.0, 6.0), (1.0, 2.0)])
    assert (found.low, found.value, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_ratio_of_two_wild_pairs_has_no_upper_end() -> None:
    """An end beyond what a float holds is infinity, not an overflow."""
    found = ratio_of_pairs([(1.0, 1e150), (1e150, 1.0)])
    assert found.high == math.inf
    assert found.low == pytest.approx(0.0)


POINTS = [
    [(500.0, 10.0), (1000.0, 19.0), (2000.0, 41.0)],
    [(1.0, 5.0), (1.0, 7.0), (2.0, 5.5), (4.0, 5.2), (8.0, 9.9)],
    [(0.0, 3.0), (1.0, 2.0), (2.0, 1.0), (3.0, 0.0)],
]


@pytest.mark.parametrize(("points", "confidence"), list(itertools.product(POINTS, [0.8, 0.95])))
def test_slope_agrees_with_linear_regression(
    points: list[tuple[float, float]], confidence: float
) -> None:
    """The slope is that of least squares, and its interval that of t with n - 2 degrees of freedom."""
    xs, ys = zip(*points, strict=True)
    expected = oracle.linregress(xs, ys)
    half = oracle.t.ppf((1 + confidence) / 2, len(points) - 2) * expected.stderr
    found = slope(points, confidence=confidence)
    assert found is not None
    assert found.value == pytest.approx(expected.slope)
    assert found.low == pytest.approx(expected.slope - half)
    assert found.high == pytest.approx(expected.slope + half)
    assert found.n == len(points)


def test_slope_of_two_points_has_no_interval() -> None:
    """Two points are a line, and no more."""
    assert slope([(500.0, 1009.0), (1000.0, 2009.0)]) == Estimate(
        value=2.0, low=None, high=None, n=2
    )


@pytest.mark.parametrize("points", [[], [(500.0, 8.0)], [(500.0, 8.0), (500.0, 9.0)]])
def test_slope_needs_two_levels(points: list[tuple[float, float]]) -> None:
    """Where x does not vary there is no slope, and none is made up."""
    assert slope(points) is None


def test_geometric_mean_is_that_of_the_oracle() -> None:
    """The mean of ratios is taken in logarithms."""
    assert geometric_mean([1.0, 2.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([0.3, 17.0, 5.5]) == pytest.approx(oracle.gmean([0.3, 17.0, 5.5]))
