"""The paired ratio of branch to base, in logarithms.

A pair is the difference of two logarithms, never the logarithm of a quotient: the difference changes its sign, and nothing
else, when the sides are swapped, and `math.fsum` rounds a sum and its negative alike. So all that is built on it is antisymmetric to the bit.
"""

import math
from collections.abc import Sequence

from scipy.special import stdtrit

from harness.stats.estimate import Estimate

Pairs = Sequence[tuple[float, float]]


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
