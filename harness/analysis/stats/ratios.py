"""Estimated ratios of pairs with their intervals, by a t distribution and by ranks."""

import bisect
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy.special import stdtrit

Pairs = Sequence[tuple[float, float]]

_LARGEST_LOG = 700  # exp() overflows beyond 709


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A point estimate and its two-sided interval, if there are data enough for one.

    Args:
        value: In the unit of the measurement.
        low, high: The ends of the interval, low <= value <= high.
        n: The number of pairs or points.
    """

    value: float
    low: float | None
    high: float | None
    n: int

    def exp(self) -> "Estimate":
        """Return the ratio of which this is the logarithm."""
        return Estimate(
            value=_exp(self.value),
            low=None if self.low is None else _exp(self.low),
            high=None if self.high is None else _exp(self.high),
            n=self.n,
        )


def change_of(log_ratio: float) -> float:
    """Return the relative change of a log ratio; infinity beyond a float's range."""
    return math.expm1(log_ratio) if log_ratio < _LARGEST_LOG else math.inf


def _exp(value: float) -> float:
    return math.exp(value) if value < _LARGEST_LOG else math.inf


def log_ratios(pairs: Pairs) -> list[float]:
    """Return the natural logarithm of branch over base for each pair.

    Args:
        pairs: (base, branch), both above zero, in one unit.
    """
    return [math.log(branch) - math.log(base) for base, branch in pairs]


def deviation(logs: Sequence[float]) -> float | None:
    """Return the sample standard deviation (divisor n - 1); None below two values.

    Args:
        logs: Log ratios, one a pair; a deviation of 0.03 is about 3 % per pair.
    """
    if len(logs) < 2:
        return None
    mean = math.fsum(logs) / len(logs)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in logs) / (len(logs) - 1))


def mean_of_logs(logs: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """Estimate the mean log ratio.

    Args:
        logs: Log ratios, one a pair; at least one.
        confidence: Of the two-sided interval.

    Returns:
        The mean in logarithms, with a t interval from two pairs on.

    Source:
        Student, The Probable Error of a Mean, Biometrika 6(1), 1908; Jain, The Art of Computer Systems Performance
        Analysis, 1991, section 13.4.1 for paired observations.
    """
    n = len(logs)
    mean = math.fsum(logs) / n
    sd = deviation(logs)
    if sd is None:
        return Estimate(value=mean, low=None, high=None, n=n)
    half = t_quantile(confidence, n - 1) * sd / math.sqrt(n)
    return Estimate(value=mean, low=mean - half, high=mean + half, n=n)


def ratio_of_pairs(pairs: Pairs, *, confidence: float = 0.95) -> Estimate:
    """Estimate the geometric mean of branch over base.

    Args:
        pairs: (base, branch) of neighbouring cells, both above zero; at least one.
        confidence: Of the two-sided interval; 0.90 matches a one-sided decision at 5 %.

    Returns:
        The ratio, with a paired-t interval on the logarithms from two pairs on.

    Source:
        As `mean_of_logs`; Fleming & Wallace, CACM 29(3), 1986, for the geometric mean.
    """
    return mean_of_logs(log_ratios(pairs), confidence=confidence).exp()


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values, at least one."""
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def t_quantile(confidence: float, degrees: int) -> float:
    """Return the half-width of a two-sided t interval, in standard errors."""
    return float(stdtrit(degrees, (1 + confidence) / 2))


def pseudomedian(logs: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """Return the Hodges–Lehmann estimate: the median of the Walsh averages.

    Args:
        logs: Log ratios, one a pair; at least one. Time grows as n³ (1 ms at 20).
        confidence: The least confidence of the two-sided interval.

    Returns:
        The centre in logarithms. The ends of the interval are Walsh averages, so its coverage is
        the next possible one above `confidence`. With too few pairs (5 reach 93.75 %) there is
        no interval.

    Source:
        Hodges & Lehmann, Annals of Mathematical Statistics 34(2), 1963; the interval is Tukey's, in Hollander, Wolfe & Chicken,
        Nonparametric Statistical Methods, 3rd edition, sections 3.2 and 3.3 (3.17 and 3.26).
    """
    pairs = itertools.combinations_with_replacement(logs, 2)
    walsh = sorted((one + other) / 2 for one, other in pairs)
    rank = _rank_of_end(len(logs), confidence)
    return Estimate(
        value=statistics.median(walsh),
        low=walsh[rank - 1] if rank else None,
        high=walsh[-rank] if rank else None,
        n=len(logs),
    )


@cache
def _rank_of_end(n: int, confidence: float) -> int:
    """Return the rank of the Walsh average that ends the interval; 0 without one."""
    allowed = (1 - confidence) / 2 * 2**n  # sign patterns in each tail
    return bisect.bisect_right(list(itertools.accumulate(_ways_to_sum(n))), allowed)


def _ways_to_sum(n: int) -> list[int]:
    """Return the number of sign patterns for each sum of the positive ranks."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
