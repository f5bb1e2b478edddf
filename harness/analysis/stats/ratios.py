"""A number with its interval."""

import bisect
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from scipy.special import stdtrit

Pairs = Sequence[tuple[float, float]]


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

    def exp(self) -> "Estimate":
        """Return the ratio of which this is the logarithm."""
        return Estimate(
            value=_exp(self.value),
            low=None if self.low is None else _exp(self.low),
            high=None if self.high is None else _exp(self.high),
            n=self.n,
        )


def change_of(log_ratio: float) -> float:
    """Return a ratio less one, of which this is the logarithm; beyond a float's range that is infinity, not an error."""
    return math.expm1(log_ratio) if log_ratio < 700 else math.inf


def _exp(value: float) -> float:
    """Exponentiate; beyond a float's range that is infinity, not an error."""
    return math.exp(value) if value < 700 else math.inf


def log_ratios(pairs: Pairs) -> list[float]:
    """Return the natural logarithm of branch over base for each pair.

    Args:
        pairs: (base, branch), both above zero, in one unit.
    """
    return [math.log(branch) - math.log(base) for base, branch in pairs]


def deviation(logs: Sequence[float]) -> float | None:
    """Return the sample standard deviation (divisor n - 1), None below two values.

    Args:
        logs: Log ratios, one a pair; the result is in the same unit, so 0.03 is some 3 % a pair.
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
        The mean, with a t interval from two pairs on, in logarithms.

    Source:
        Student, The Probable Error of a Mean, Biometrika 6(1), 1908; Jain, The Art of Computer Systems Performance
        Analysis, 1991, section 13.4.1 for paired observations.
    """
    n = len(logs)
    mean = math.fsum(logs) / n
    spread = deviation(logs)
    if spread is None:
        return Estimate(value=mean, low=None, high=None, n=n)
    half = t_quantile(confidence, n - 1) * spread / math.sqrt(n)
    return Estimate(value=mean, low=mean - half, high=mean + half, n=n)


def ratio_of_pairs(pairs: Pairs, *, confidence: float = 0.95) -> Estimate:
    """Estimate the geometric mean of branch over base.

    Args:
        pairs: (base, branch) of cells that ran next to each other, both above zero; at least one.
        confidence: Of the two-sided interval; 0.90 belongs to a one-sided decision at 5 %.

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
    """Return how many standard errors a two-sided t interval reaches to each side."""
    return float(stdtrit(degrees, (1 + confidence) / 2))


def hodges_lehmann(pairs: Pairs, *, confidence: float = 0.95) -> Estimate:
    """Estimate the typical ratio of branch to base: e to the pseudomedian of the log ratios.

    Args:
        pairs: (base, branch) of cells that ran next to each other, both above zero; at least one.
        confidence: At least, of the two-sided interval.

    Returns:
        The ratio, with the exact interval of the signed-rank test: from 6 pairs on for 95 %, from 5 on for 90 %.
    """
    return pseudomedian(log_ratios(pairs), confidence=confidence).exp()


def pseudomedian(logs: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """Estimate the centre of symmetric values: the median of the means of all twos of them, each with itself included.

    Args:
        logs: Log ratios, one a pair; at least one. Time grows as n³ (1 ms at 20).
        confidence: At least, of the two-sided interval.

    Returns:
        The centre, in logarithms. The ends of the interval are means of twos as well, so that their coverage is the next
        above `confidence` that ranks allow. Below the number of pairs that can reach it (5 pairs reach 93.75 %) there are none.

    Source:
        Hodges & Lehmann, Annals of Mathematical Statistics 34(2), 1963; the interval is Tukey's, in Hollander, Wolfe & Chicken,
        Nonparametric Statistical Methods, 3rd edition, sections 3.2 and 3.3 (3.17 and 3.26).
    """
    twos = itertools.combinations_with_replacement(logs, 2)
    walsh = sorted((one + other) / 2 for one, other in twos)
    rank = _rank_of_end(len(logs), confidence)
    return Estimate(
        value=statistics.median(walsh),
        low=walsh[rank - 1] if rank else None,
        high=walsh[-rank] if rank else None,
        n=len(logs),
    )


@cache
def _rank_of_end(n: int, confidence: float) -> int:
    """Return which mean of twos, counted from either end, bounds the interval; 0 where even the outermost do not suffice."""
    allowed = (1 - confidence) / 2 * 2**n  # patterns of signs, in each tail
    return bisect.bisect_right(list(itertools.accumulate(_ways_to_sum(n))), allowed)


def _ways_to_sum(n: int) -> list[int]:
    """Return in how many of the 2^n patterns of signs the ranks of the positive ones add up to 0, 1, 2, … n(n+1)/2."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
