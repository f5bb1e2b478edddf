"""Statistical tests of a decision, and their power."""

import bisect
import math
from collections.abc import Sequence

from scipy.special import nctdtr, nctdtrinc, stdtr, stdtrit

from harness.analysis.stats.ratios import deviation

ROUNDING = 1e-12
"""A bound on the rounding error of equal log ratios."""


def p_above(logs: Sequence[float], log_margin: float) -> float:
    """Test whether the mean log ratio is above a margin: one-sided paired t.

    Args:
        logs: Log ratios, one a pair.
        log_margin: Logarithm of the margin as a ratio: log 1.1 for 10 % more.

    Returns:
        The probability of such a mean, or a higher one, if the true mean is at the margin. It
        is 1.0 below two pairs. Pairs without spread give 0.0 above the margin, else 1.0.

    Source:
        Student, The Probable Error of a Mean, Biometrika 6(1), 1908; as a test against a margin, Wellek, Testing Statistical
        Hypotheses of Equivalence and Noninferiority, 2nd edition, section 2.2.
    """
    sd = deviation(logs)
    if sd is None:
        return 1.0
    n = len(logs)
    distance = math.fsum(logs) / n - log_margin
    if sd < ROUNDING:
        return 0.0 if distance > ROUNDING else 1.0
    return float(stdtr(n - 1, -distance / sd * math.sqrt(n)))


def p_below(logs: Sequence[float], log_margin: float) -> float:
    """Test whether the mean log ratio is below a margin, see `p_above`."""
    return p_above([-value for value in logs], -log_margin)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that the rate of any false alarm stays that of a single test.

    Args:
        p_values: One a test, 0 to 1.

    Returns:
        In the given order, 0 to 1; none is lower than before, and their ranking stays.

    Source:
        Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6(2), 1979.
    """
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for left, index in zip(range(len(order), 0, -1), order, strict=True):
        highest = max(highest, left * p_values[index])
        adjusted[index] = min(1.0, highest)
    return adjusted


def mcnemar(base_only: int, branch_only: int) -> float:
    """Test whether one side has the better outcomes; the same as the sign test.

    Args:
        base_only: Pairs in which only the base ended ok.
        branch_only: Pairs in which only the branch did. Other pairs do not count.

    Returns:
        The exact two-sided probability of such a split if both sides are equal.

    Source:
        McNemar, Psychometrika 12(2), 1947, in its exact binomial form: Fay, Biostatistics 11(2), 2010.
    """
    n = base_only + branch_only
    tail = sum(math.comb(n, few) for few in range(min(base_only, branch_only) + 1))
    return min(1.0, 2 * tail / (1 << n))


def smallest_effect(sd: float, n: int, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Return the smallest true log ratio that a one-sided paired t test detects.

    Args:
        sd: Standard deviation of the log ratios of pairs.
        n: Pairs.
        power: The probability of detection.
        alpha: The rate of false alarms; with Holm over k metrics, alpha / k is cautious.

    Returns:
        In logarithms, beyond the tested margin; None below two pairs.

    Source:
        Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, 1988, section 2.4, by the noncentral t distribution.
    """
    if n < 2:
        return None
    critical = stdtrit(n - 1, 1 - alpha)
    return float(nctdtrinc(n - 1, 1 - power, critical)) * sd / math.sqrt(n)


def pairs_needed(
    logs: Sequence[float],
    log_margin: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    at_most: int = 1000,
) -> int | None:
    """Return how many pairs in all would decide whether the ratio is beyond the margin.

    Args:
        logs: Log ratios so far, whose mean and deviation are assumed to stay.
        log_margin: Logarithm of the margin as a ratio.
        power: The probability of a decision.
        alpha: Of the one-sided test.
        at_most: The largest answer.

    Returns:
        From 2 to `at_most`. None if more are needed, if the mean lies on the margin, or below
        two pairs. It is fewer than there are if the run was unlucky, or alpha is too high.

    Source:
        As `smallest_effect`, solved for n.
    """
    sd = deviation(logs)
    if sd is None:
        return None
    distance = abs(math.fsum(logs) / len(logs) - log_margin)
    if distance <= ROUNDING:
        return None

    def suffices(n: int) -> bool:
        effect = smallest_effect(sd, n, power=power, alpha=alpha)
        return effect is not None and effect <= distance

    enough = bisect.bisect_left(range(2, at_most + 1), x=True, key=suffices) + 2
    return enough if enough <= at_most else None


def power_of(effect: float, sd: float, n: int, *, alpha: float = 0.05) -> float:
    """Return the probability that a one-sided paired t test detects a true effect.

    Args:
        effect: In logarithms, beyond the tested margin.
        sd: Standard deviation of the log ratios of pairs, above zero.
        n: Pairs; below two the power is zero.
        alpha: The rate of false alarms.

    Source:
        As `smallest_effect`, of which it is the inverse.
    """
    if n < 2:
        return 0.0
    critical = stdtrit(n - 1, 1 - alpha)
    return 1.0 - float(nctdtr(n - 1, effect * math.sqrt(n) / sd, critical))
