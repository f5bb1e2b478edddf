"""A number with its interval."""

import math
from dataclasses import dataclass


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
