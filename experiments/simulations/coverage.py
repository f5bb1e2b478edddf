"""Simulated coverage of the intervals, and power of the tests."""

import math
from collections.abc import Callable, Sequence
from random import Random

from experiments.simulations.pairs import NORMAL, SD, Noise, Pair
from harness.analysis.stats.ratios import Estimate, log_ratios, pseudomedian, ratio_of_pairs

Estimator = Callable[[Sequence[Pair]], Estimate]


def t_coverage(noise: Noise, n: int, *, runs: int, seed: int) -> float:
    """Return the share of 95 % t intervals of n pairs that cover the mean ratio."""
    return _coverage(noise, n, ratio_of_pairs, true=noise.mean, runs=runs, seed=seed)


def rank_coverage(noise: Noise, n: int, *, runs: int, seed: int) -> float:
    """Return the share of 95 % rank intervals of n pairs that cover their centre."""
    return _coverage(noise, n, _typical_ratio, true=noise.pseudomedian, runs=runs, seed=seed)


def _typical_ratio(pairs: Sequence[Pair]) -> Estimate:
    return pseudomedian(log_ratios(pairs)).exp()


def _coverage(
    noise: Noise, n: int, estimate: Estimator, *, true: float, runs: int, seed: int
) -> float:
    random = Random(f"{seed} {noise.name} {n}")  # noqa: S311  no secrets
    ratio = math.exp(SD * true)
    covered = 0
    for _ in range(runs):
        found = estimate(noise.pairs(random, n))
        covered += (
            found.low is not None and found.high is not None and found.low <= ratio <= found.high
        )
    return covered / runs


def share_decided(
    decide: Callable[[list[float]], float], log_ratio: float, n: int, *, runs: int, seed: int
) -> float:
    """Return the share of runs with a significant test at 5 %.

    Args:
        decide: Returns a p value of log ratios.
        log_ratio: The true one; the noise is normal with a deviation of `SD` per pair.
        n: Pairs per run.
        runs: Number of runs.
        seed: Of the random numbers.
    """
    random = Random(seed)  # noqa: S311  no secrets
    significant = 0
    for _ in range(runs):
        pairs = [(a, b * math.exp(log_ratio)) for a, b in NORMAL.pairs(random, n)]
        significant += decide(log_ratios(pairs)) < 0.05
    return significant / runs
