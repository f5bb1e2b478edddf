"""Where paired log ratios stand to a margin and to its mirror."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.margins import log_margin
from harness.model import Margin
from harness.stats import p_above, p_below
from harness.verdict.kinds import Standing

ALPHA = 0.05
"""How often a one-sided test may be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Between which two log ratios a metric is within its margin: log(branch / base) above `upper` is worse, below `lower` better.

    A margin in the metric's own unit is a larger share of a smaller value, so that each is taken of the side that would be exceeded. With the
    sides swapped the two change places and signs, to the bit.
    """

    upper: float
    lower: float

    @property
    def narrower(self) -> float:
        """The smaller of both as a log ratio, at least zero; it is the same with the sides swapped."""
        return min(self.upper, -self.lower)


def limits_of(margin: Margin, base: float, branch: float) -> Limits:
    """Return a margin as log ratios.

    Args:
        margin: Relative, or in the metric's own unit.
        base: What was measured there, above zero.
        branch: The same of the branch.
    """
    return Limits(upper=log_margin(margin, base), lower=-log_margin(margin, branch))


def stand(logs: Sequence[float], limits: Limits, p_worse: float, p_better: float) -> Standing:
    """Say where paired log ratios stand to a margin.

    Args:
        logs: One a pair.
        limits: Of the margin.
        p_worse: Of the one-sided test beyond the upper limit, adjusted.
        p_better: Of the one-sided test beyond the lower limit, adjusted.
    """
    if p_worse <= ALPHA:
        return Standing.ABOVE
    if p_better <= ALPHA:
        return Standing.BELOW
    if len(logs) > 1 and not any(logs):
        return Standing.WITHIN  # equal in every pair: within a margin of zero, too
    is_not_above = p_below(logs, limits.upper) <= ALPHA
    is_not_below = p_above(logs, limits.lower) <= ALPHA
    if is_not_above and is_not_below:
        return Standing.WITHIN
    if is_not_above:
        return Standing.NOT_ABOVE
    return Standing.NOT_BELOW if is_not_below else Standing.SPANNING
