"""How often the intervals that are printed hold the ratio that they should, and the decisions are right."""

import math
from collections.abc import Callable, Sequence
from random import Random

from experiments.simulations.pairs import NORMAL, SD, Noise, Pair
from harness.analysis.stats.ratios import Estimate, hodges_lehmann, log_ratios, ratio_of_pairs

Estimator = Callable[[Sequence[Pair]], Estimate]


def t_coverage(noise: Noise, n: int, *, runs: int, seed: int) -> float:
    """Return the share of runs of n pairs whose 95 % paired-t interval holds the true mean ratio."""
    return _coverage(noise, n, ratio_of_pairs, true=noise.mean, runs=runs, seed=seed)


def rank_coverage(noise: Noise, n: int, *, runs: int, seed: int) -> float:
    """Return the share of runs of n pairs whose 95 % Hodges–Lehmann interval holds the true pseudomedian."""
    return _coverage(noise, n, hodges_lehmann, true=noise.pseudomedian, runs=runs, seed=seed)


def _coverage(
    noise: Noise, n: int, estimate: Estimator, *, true: float, runs: int, seed: int
) -> float:
    random = Random(f"{seed} {noise.name} {n}")  # noqa: S311  chance, not secrets
    ratio = math.exp(SD * true)
    held = 0
    for _ in range(runs):
        found = estimate(noise.pairs(random, n))
        held += (
            found.low is not None and found.high is not None and found.low <= ratio <= found.high
        )
    return held / runs


def share_decided(
    decide: Callable[[list[float]], float], log_ratio: float, n: int, *, runs: int, seed: int
) -> float:
    """Return the share of runs in which a test is significant at 5 %.

    Args:
        decide: From log ratios to a p value.
        log_ratio: The true one; the noise is normal, with a deviation of `SD` a pair.
        n: Pairs a run.
        runs: How many runs to draw.
        seed: The same runs for the same seed.
    """
    random = Random(seed)  # noqa: S311  chance, not secrets
    significant = 0
    for _ in range(runs):
        pairs = [(a, b * math.exp(log_ratio)) for a, b in NORMAL.pairs(random, n)]
        significant += decide(log_ratios(pairs)) < 0.05
    return significant / runs
