"""The tests that a decision rests on: against a margin, over several metrics, and of outcomes."""

import bisect
import math
from collections.abc import Sequence
from typing import Literal

from scipy.special import nctdtr, nctdtrinc, stdtr, stdtrit

from harness.analysis.stats.ratios import deviation

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


def smallest_effect(
    sd: float, n: int, *, power: float = 0.8, alpha: float = 0.05, sides: Literal[1, 2] = 1
) -> float | None:
    """Return the smallest true log ratio that a paired t test detects with that power.

    Args:
        sd: Standard deviation of the log ratios of pairs.
        n: Pairs.
        power: The probability that the test finds it.
        alpha: The probability of a false alarm; where Holm divides it over k metrics, alpha / k is the cautious choice.
        sides: 1 is what the gate decides by, and so the default. 2 is for those who plan with a two-sided test, as most tables do.

    Returns:
        In logarithms, beyond the margin that is tested against; None below two pairs.

    Source:
        Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd edition, 1988, section 2.4, by the noncentral t distribution. In the
        two-sided test an alarm on the wrong side is not counted as found.
    """
    if n < 2:
        return None
    critical = stdtrit(n - 1, 1 - alpha / sides)
    return float(nctdtrinc(n - 1, 1 - power, critical)) * sd / math.sqrt(n)


def pairs_needed(
    logs: Sequence[float],
    log_margin: float,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    at_most: int = 1000,
) -> int | None:
    """Return how many pairs in all would decide whether the ratio is beyond the margin or within it.

    Args:
        logs: Log ratios so far; their mean and deviation are taken to stay as they are.
        log_margin: Logarithm of the margin as a ratio.
        power: The probability that so many pairs decide.
        alpha: Of the one-sided test.
        at_most: More than that is never.

    Returns:
        From 2 to `at_most`; None where they would not suffice, as with a mean that lies on the margin, or where there
        are fewer than two pairs to judge by. Fewer than there are means that the run has been unlucky, or alpha is too high.

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
    """Return the probability that a one-sided paired t test finds a true effect.

    Args:
        effect: In logarithms, beyond the margin that is tested against; below zero the test has next to none.
        sd: Standard deviation of the log ratios of pairs, above zero.
        n: Pairs; below two nothing is found.
        alpha: The probability of a false alarm.

    Source:
        As `smallest_effect`, of which it is the inverse.
    """
    if n < 2:
        return 0.0
    critical = stdtrit(n - 1, 1 - alpha)
    return 1.0 - float(nctdtr(n - 1, effect * math.sqrt(n) / sd, critical))
