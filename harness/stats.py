"""Interval estimates: the ratio of paired measurements, and the slope of a line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A point estimate and its two-sided interval; None where the data are too few for one.

    Args:
        value: In the unit of what was measured.
        low, high: The ends of the interval, low <= value <= high.
        n: How many measurements (pairs, points) it rests on.
    """

    value: float
    low: float | None
    high: float | None
    n: int


def ratio_of_pairs(pairs: Sequence[tuple[float, float]], *, confidence: float = 0.95) -> Estimate:
    """Estimate the geometric mean of branch over base.

    Args:
        pairs: (base, branch) of cells that ran next to each other, both above zero; at least one.
        confidence: Of the two-sided interval.

    Returns:
        The ratio, with a paired-t interval on the logarithms from two pairs on.

    Source:
        Student's t on log ratios, e.g. Fleming & Wallace, CACM 29(3), 1986, for the geometric mean; Jain, The Art of
        Computer Systems Performance Analysis, 1991, section 13.4.1 for paired observations.
    """
    logs = [math.log(branch / base) for base, branch in pairs]
    n = len(logs)
    mean = math.fsum(logs) / n
    if n < 2:
        return Estimate(value=math.exp(mean), low=None, high=None, n=n)
    variance = math.fsum((value - mean) ** 2 for value in logs) / (n - 1)
    half = _t_quantile(confidence, n - 1) * math.sqrt(variance / n)
    low, high = math.exp(mean - half), _exp(mean + half)
    return Estimate(value=math.exp(mean), low=low, high=high, n=n)


def slope(points: Sequence[tuple[float, float]], *, confidence: float = 0.95) -> Estimate | None:
    """Fit y = a + b·x by least squares and return b.

    Args:
        points: (x, y), a point a cell.
        confidence: Of the two-sided interval.

    Returns:
        The slope, with an interval when there are more than two points; None when x does not vary.

    Source:
        Montgomery, Peck & Vining, Introduction to Linear Regression Analysis, 5th edition, section 2.4.1.
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
    if n < 3:
        return Estimate(value=rise, low=None, high=None, n=n)
    residue = math.fsum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    half = _t_quantile(confidence, n - 2) * math.sqrt(residue / (n - 2) / spread)
    return Estimate(value=rise, low=rise - half, high=rise + half, n=n)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values, at least one."""
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def _t_quantile(confidence: float, degrees: int) -> float:
    return float(stdtrit(degrees, (1 + confidence) / 2))


def _exp(value: float) -> float:
    """Exponentiate; beyond a float's range that is infinity, not an error."""
    return math.exp(value) if value < 700 else math.inf
