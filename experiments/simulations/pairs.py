"""Simulated pairs with known noise and known true ratios."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from statistics import NormalDist

Pair = tuple[float, float]
SD = 0.03
OUTLIERS = 0.1
FAR = 5.0
_BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The distribution of the log ratios of pairs, in standard deviations.

    Args:
        draw: Returns a random log ratio.
        mean: The value that a t interval should cover.
        pseudomedian: The median of the mean of two values, which a rank interval should cover.
    """

    name: str
    draw: Callable[[Random], float]
    mean: float
    pseudomedian: float

    def pairs(self, random: Random, n: int) -> list[Pair]:
        """Return n pairs of two builds that differ only by the noise."""
        return [self._pair(random) for _ in range(n)]

    def _pair(self, random: Random) -> Pair:
        base = math.exp(random.gauss(3.0, 0.1))
        return base, base * math.exp(SD * self.draw(random))


def _symmetric(random: Random) -> float:
    far = FAR if random.random() < 0.5 else -FAR
    return random.gauss(0.0, 1.0) + (far if random.random() < OUTLIERS else 0.0)


def _one_sided(random: Random) -> float:
    return random.gauss(0.0, 1.0) + (FAR if random.random() < OUTLIERS else 0.0)


def _pseudomedian_of_one_sided() -> float:
    """Solve for the median of the mean of two values with 0, 1 or 2 outliers."""
    shares = {
        0.0: (1 - OUTLIERS) ** 2,
        FAR / 2: 2 * OUTLIERS * (1 - OUTLIERS),
        FAR: OUTLIERS**2,
    }
    low, high = 0.0, FAR
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        below = sum(
            share * NormalDist(at, math.sqrt(0.5)).cdf(middle) for at, share in shares.items()
        )
        low, high = (middle, high) if below < 0.5 else (low, middle)
    return low


NORMAL = Noise(
    name="normal", draw=lambda random: random.gauss(0.0, 1.0), mean=0.0, pseudomedian=0.0
)
SYMMETRIC = Noise(name="10 % outliers", draw=_symmetric, mean=0.0, pseudomedian=0.0)
ONE_SIDED = Noise(
    name="10 % one-sided",
    draw=_one_sided,
    mean=FAR * OUTLIERS,
    pseudomedian=_pseudomedian_of_one_sided(),
)
NOISES = (NORMAL, SYMMETRIC, ONE_SIDED)
