"""What a number of pairs could have seen, and how many pairs a decision would take."""

import bisect
import math
from collections.abc import Sequence
from typing import Literal

from scipy.special import nctdtr, nctdtrinc, stdtrit

from harness.stats.decisions import ROUNDING
from harness.stats.paired import deviation


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
