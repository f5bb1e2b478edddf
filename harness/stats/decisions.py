"""The tests that a decision rests on: against a margin, over several metrics, and of outcomes."""

import math
from collections.abc import Sequence

from scipy.special import stdtr

from harness.stats.paired import deviation

ROUNDING = 1e-12
"""In logarithms: what a float makes of equal ratios differs by less, and what is measured by far more."""


def p_above(logs: Sequence[float], log_margin: float) -> float:
    """Test whether the mean log ratio is above a margin: one-sided paired t.

    Args:
        logs: Log ratios, one a pair.
        log_margin: Logarithm of the margin as a ratio: log 1.1 for 10 % more.

    Returns:
        The probability of such a mean, or a higher one, if the true mean were no higher than the margin. Small means that the mean
        is above. Below two pairs 1.0. Pairs without spread are certain: 0.0 above the margin, 1.0 at it or below it.

    Source:
        Student, The Probable Error of a Mean, Biometrika 6(1), 1908; as a test against a margin, Wellek, Testing Statistical
        Hypotheses of Equivalence and Noninferiority, 2nd edition, section 2.2.
    """
    spread = deviation(logs)
    if spread is None:
        return 1.0
    n = len(logs)
    distance = math.fsum(logs) / n - log_margin
    if spread < ROUNDING:
        return 0.0 if distance > ROUNDING else 1.0
    return float(stdtr(n - 1, -distance / spread * math.sqrt(n)))


def p_below(logs: Sequence[float], log_margin: float) -> float:
    """Test whether the mean log ratio is below a margin; to the bit what `p_above` says of the swapped sides.

    Args:
        logs: Log ratios, one a pair.
        log_margin: Logarithm of the margin as a ratio.

    Returns:
        The probability of such a mean, or a lower one, if the true mean were no lower than the margin.
    """
    return p_above([-value for value in logs], -log_margin)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p values of several tests, so that one false alarm among all of them is as rare as in one.

    Args:
        p_values: One a test, 0 to 1.

    Returns:
        Adjusted, in the given order, 0 to 1; none is lower than it was, and they rank as they did.

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
    """Test whether one side has the better outcomes; also the sign test.

    Args:
        base_only: Pairs in which the base alone came out well.
        branch_only: Pairs in which the branch alone did. Pairs that agree say nothing.

    Returns:
        The exact two-sided probability of so uneven a split if each side were as likely.

    Source:
        McNemar, Psychometrika 12(2), 1947, in its exact binomial form: Fay, Biostatistics 11(2), 2010.
    """
    n = base_only + branch_only
    tail = sum(math.comb(n, few) for few in range(min(base_only, branch_only) + 1))
    return min(1.0, 2 * tail / (1 << n))
