"""Straight lines through cells: slope, intercept, and where a line reaches a limit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.stats.ratios import Estimate, t_quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line y = intercept + slope · x with its uncertainty.

    Args:
        intercept: y at x = 0.
        slope: y per x.
        centre: The mean of the points' x, where the height is most certain.
        centre_half: Half the width of the height's interval there, at the slope's confidence.
    """

    intercept: float
    slope: Estimate
    centre: float = 0.0
    centre_half: float = 0.0

    def at(self, x: float) -> float:
        """Return the line's height at x."""
        return self.intercept + self.slope.value * x


def fit_line(points: Sequence[tuple[float, float]], *, confidence: float = 0.95) -> Line | None:
    """Fit y = a + b·x by least squares.

    Args:
        points: (x, y), one a cell.
        confidence: Of the two-sided interval.

    Returns:
        The line, its slope with an interval from three points on; None when x does not vary.

    Source:
        Montgomery, Peck & Vining, Introduction to Linear Regression Analysis, 5th edition, sections 2.2 and 2.4.
    """
    n = len(points)
    if n == 0:
        return None
    mean_x = math.fsum(x for x, _ in points) / n
    mean_y = math.fsum(y for _, y in points) / n
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return None
    rise = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    intercept = mean_y - rise * mean_x
    if n < 3:
        slope = Estimate(value=rise, low=None, high=None, n=n)
        return Line(intercept=intercept, slope=slope, centre=mean_x)
    residue = math.fsum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    noise = t_quantile(confidence, n - 2) * math.sqrt(residue / (n - 2))
    half = noise / math.sqrt(spread)
    return Line(
        intercept=intercept,
        slope=Estimate(value=rise, low=rise - half, high=rise + half, n=n),
        centre=mean_x,
        centre_half=noise / math.sqrt(n),
    )


def reach(line: Line, cap: float) -> Estimate | None:
    """Return the x, 0 or more, at which a rising line reaches a cap.

    Args:
        line: Of the usage over x.
        cap: The limit, in the unit of y.

    Returns:
        In the unit of x, with the interval in which the line's own interval contains the cap.
        The upper end is infinite where the slope may be zero. There is no interval where the
        slope has none. None where the line does not rise, or starts above the cap.

    Source:
        Fieller, Some Problems in Interval Estimation, Journal of the Royal Statistical Society B 16(2), 1954; for lines, Draper & Smith, Applied Regression
        Analysis, 3rd edition, section 3.2 (inverse regression, mean of infinitely many new observations).
    """
    rise = line.slope.value
    if rise <= 0 or cap < line.intercept:
        return None
    value = (cap - line.intercept) / rise
    if line.slope.low is None:
        return Estimate(value=value, low=None, high=None, n=line.slope.n)
    low, high = _crossings(line, cap, rise - line.slope.low)
    return Estimate(
        value=value, low=max(0.0, min(low, value)), high=max(high, value), n=line.slope.n
    )


def _crossings(line: Line, cap: float, half: float) -> tuple[float, float]:
    """Return the x at which the upper and the lower bound of the line reach the cap.

    They solve (d - b·u)² = h² + w²·u² for u = x - centre: d is the cap above the line's height
    at the centre, b ± w the slope, h the half-width at the centre. Each root is written so that
    no terms cancel.
    """
    rise, far = line.slope.value, cap - line.at(line.centre)
    lead = (rise - half) * (rise + half)
    under_root = lead * line.centre_half**2 + (half * far) ** 2
    if lead <= 0 and (far <= 0 or under_root < 0):
        return -math.inf, math.inf
    root = math.sqrt(under_root)
    rest = (far - line.centre_half) * (far + line.centre_half)
    sure = far * rise + math.copysign(root, far)  # two terms of one sign
    low, high = sorted((rest / sure if sure else 0.0, sure / lead if lead > 0 else math.inf))
    return line.centre + low, line.centre + high
