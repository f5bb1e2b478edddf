"""Lines and where they reach a cap, against scipy's regression."""

import itertools
import math
from collections.abc import Sequence

import pytest
from scipy import optimize, stats as oracle

from harness.analysis.stats.lines import Line, fit_line, reach
from harness.analysis.stats.ratios import Estimate

Points = Sequence[tuple[float, float]]

POINTS = [
    [(500.0, 10.0), (1000.0, 19.0), (2000.0, 41.0)],
    [(1.0, 5.0), (1.0, 7.0), (2.0, 5.5), (4.0, 5.2), (8.0, 9.9)],
    [(0.0, 3.0), (1.0, 2.0), (2.0, 1.0), (3.0, 0.0)],
]
CLOSE = [(1.0, 10.0), (2.0, 12.5), (3.0, 14.2), (4.0, 17.0)]  # certainly rises
LOOSE = [(1.0, 10.0), (2.0, 14.5), (3.0, 10.2), (4.0, 14.0)]  # may be flat


@pytest.mark.parametrize(("points", "confidence"), list(itertools.product(POINTS, [0.8, 0.95])))
def test_line_agrees_with_linear_regression(points: Points, confidence: float) -> None:
    """It is the least-squares line, with a t interval of n - 2 degrees of freedom."""
    xs, ys = zip(*points, strict=True)
    expected = oracle.linregress(xs, ys)
    half = oracle.t.ppf((1 + confidence) / 2, len(points) - 2) * expected.stderr
    found = fit_line(points, confidence=confidence)
    assert found is not None
    assert found.slope.value == pytest.approx(expected.slope)
    assert found.slope.low == pytest.approx(expected.slope - half)
    assert found.slope.high == pytest.approx(expected.slope + half)
    assert found.slope.n == len(points)
    assert found.intercept == pytest.approx(expected.intercept)
    assert found.at(700) == pytest.approx(expected.intercept + 700 * expected.slope)


def test_slope_of_two_points_has_no_interval() -> None:
    """Two points lie exactly on a line."""
    line = fit_line([(500.0, 1009.0), (1000.0, 2009.0)])
    assert line is not None
    assert line.slope == Estimate(value=2.0, low=None, high=None, n=2)


@pytest.mark.parametrize("points", [[], [(500.0, 8.0)], [(500.0, 8.0), (500.0, 9.0)]])
def test_line_needs_two_levels(points: Points) -> None:
    """Without a varying x there is no line."""
    assert fit_line(points) is None


def _band(points: Points, x: float) -> tuple[float, float]:
    """Return the line's 95 % interval at x, from scipy's standard errors."""
    xs, ys = zip(*points, strict=True)
    fit = oracle.linregress(xs, ys)
    mean_x = sum(xs) / len(xs)
    at_centre = fit.intercept_stderr**2 - (fit.stderr * mean_x) ** 2
    error = math.sqrt(at_centre + (fit.stderr * (x - mean_x)) ** 2)
    half = oracle.t.ppf(0.975, len(points) - 2) * error
    height = fit.intercept + fit.slope * x
    return height - half, height + half


@pytest.mark.parametrize("cap", [11.0, 13.0, 13.425, 14.0, 40.0, 4000.0])
def test_cap_is_reached_where_the_lines_band_contains_it(cap: float) -> None:
    """Fieller's ends are the x at which the line's two bounds cross the cap."""
    line = fit_line(CLOSE)
    assert line is not None
    found = reach(line, cap)
    assert found is not None
    low = optimize.brentq(lambda x: _band(CLOSE, x)[1] - cap, 0, 10_000)
    high = optimize.brentq(lambda x: _band(CLOSE, x)[0] - cap, 0, 10_000)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert line.at(found.value) == pytest.approx(cap)
    assert found.n == 4


def test_cap_of_a_doubtful_slope_has_no_upper_end() -> None:
    """A line that may be flat may never reach the cap."""
    line = fit_line(LOOSE)
    assert line is not None
    found = reach(line, 40.0)
    assert found is not None
    low = optimize.brentq(lambda x: _band(LOOSE, x)[1] - 40, 2.5, 38)
    assert found.low == pytest.approx(low)
    assert found.high == math.inf


@pytest.mark.parametrize("cap", [11.0, 12.175, 13.0])
def test_cap_within_the_whole_band_is_reached_anywhere(cap: float) -> None:
    """A band that contains the cap everywhere has no ends."""
    line = fit_line(LOOSE)
    assert line is not None
    found = reach(line, cap)
    assert found is not None
    assert (found.low, found.high) == (0, math.inf)


def test_cap_far_below_the_points_of_a_doubtful_line_is_reached_anywhere() -> None:
    """A line that may fall may reach a low cap on either side of its points."""
    line = fit_line([(x + 100, y) for x, y in LOOSE])
    assert line is not None
    found = reach(line, line.intercept + 1)
    assert found is not None
    assert (found.low, found.high) == (0, math.inf)


@pytest.mark.parametrize("cap", [2.0, 5.0, 7.0, 70.0])
def test_line_without_noise_reaches_its_cap_at_a_point(cap: float) -> None:
    """Points exactly on a line give an interval without width."""
    line = fit_line([(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)])
    assert line is not None
    found = reach(line, cap)
    assert found is not None
    expected = (cap - 1) / 2
    assert (found.low, found.value, found.high) == pytest.approx((expected, expected, expected))


def test_slope_alone_bounds_the_reach_of_a_line_with_a_certain_start() -> None:
    """Without an interval at the centre the slope's ends bound the reach."""
    steep = Estimate(value=4.0, low=2.0, high=6.0, n=5)
    found = reach(Line(intercept=10.0, slope=steep), 34.0)
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((4.0, 6.0, 12.0))


def test_reach_of_two_points_has_no_interval() -> None:
    """Without an interval of the slope there is none of the reach."""
    line = fit_line([(500.0, 1009.0), (1000.0, 2009.0)])
    assert line is not None
    assert reach(line, 32_009.0) == Estimate(value=16_000.0, low=None, high=None, n=2)


@pytest.mark.parametrize(
    ("points", "cap"),
    [
        ([(500.0, 8.0), (1000.0, 8.0), (2000.0, 8.0)], 32_000.0),
        ([(0.0, 3.0), (1.0, 2.0), (2.0, 1.0)], 5.0),
        ([(0.0, 3.0), (1.0, 4.0), (2.0, 5.0)], 2.0),
    ],
)
def test_line_that_does_not_rise_to_a_cap_has_no_reach(points: Points, cap: float) -> None:
    """A flat line, a falling line and a start above the cap have no reach."""
    line = fit_line(points)
    assert line is not None
    assert reach(line, cap) is None
