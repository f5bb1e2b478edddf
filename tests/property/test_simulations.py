"""Simulations of the coverage of intervals, and of false alarms by drift.

`python -m experiments.simulations --runs 60000` prints the figures behind these bounds.
"""

import math
from functools import partial

import pytest

from experiments.simulations.coverage import rank_coverage, share_decided, t_coverage
from experiments.simulations.drifts import (
    DRIFTS,
    PLAN,
    Drift,
    false_alarms,
    linear,
    one_after_the_other,
    planned_order,
    step,
    walk,
)
from experiments.simulations.pairs import NORMAL, ONE_SIDED, SD, SYMMETRIC, Noise
from harness.analysis.stats.tests import p_above, p_below, smallest_effect

pytestmark = pytest.mark.slow

by_noise = pytest.mark.parametrize("noise", [NORMAL, SYMMETRIC], ids=lambda noise: noise.name)


@by_noise
@pytest.mark.parametrize("n", range(4, 21))
def test_t_interval_covers_the_mean_ratio(noise: Noise, n: int) -> None:
    """A 95 % interval covers 93 to 97.5 % (measured: 0.950 to 0.970)."""
    assert 0.93 <= t_coverage(noise, n, runs=4_000, seed=1) <= 0.975


@by_noise
@pytest.mark.parametrize("n", range(6, 21))
def test_rank_interval_covers_the_typical_ratio(noise: Noise, n: int) -> None:
    """The exact interval has at least its coverage, 96.9 % with 6 pairs."""
    assert 0.935 <= rank_coverage(noise, n, runs=2_000, seed=1) <= 0.985


@pytest.mark.parametrize("n", [4, 8, 12, 20])
def test_one_sided_outliers_reduce_the_coverage_of_the_t_interval(n: int) -> None:
    """It covers about 90 %; the interval by ranks covers 95 %."""
    assert 0.86 <= t_coverage(ONE_SIDED, n, runs=4_000, seed=1) <= 0.94
    if n >= 6:
        assert 0.935 <= rank_coverage(ONE_SIDED, n, runs=2_000, seed=1) <= 0.985


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_ratio_on_the_margin_is_rarely_decided(n: int) -> None:
    """The error rate of 5 % is reached where the true ratio is the margin."""
    margin = math.log(1.05)
    decisions = (partial(p_above, log_margin=margin), partial(p_below, log_margin=margin))
    for decide in decisions:
        assert 0.04 <= share_decided(decide, margin, n, runs=4_000, seed=1) <= 0.06


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_smallest_effect_is_detected_in_four_runs_of_five(n: int) -> None:
    """Its power is 80 %."""
    margin = math.log(1.05)
    effect = smallest_effect(SD, n)
    assert effect is not None
    decide = partial(p_above, log_margin=margin)
    assert 0.78 <= share_decided(decide, margin + effect, n, runs=4_000, seed=1) <= 0.82


def test_simulated_order_is_that_of_a_run() -> None:
    """Pairs are neighbours, and each side is first equally often."""
    planned = planned_order()
    pairs = list(zip(planned[::2], planned[1::2], strict=True))
    assert len(pairs) == 2 * PLAN.blocks
    for first, second in pairs:
        assert (first.block, first.pair) == (second.block, second.pair)
        assert first.side is second.side.other
    assert sum(first.side is planned[0].side for first, _ in pairs) == PLAN.blocks
    assert len({slot.side for slot in one_after_the_other()[: 2 * PLAN.blocks]}) == 1


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_drift_causes_no_false_alarms_in_the_planned_order(drift: Drift) -> None:
    """One build differs from itself in at most 7 % of runs, for each drift."""
    alarms = false_alarms(planned_order(), drift, runs=4_000, seed=1)
    assert 0.03 <= alarms.differs <= 0.07
    assert 0.03 <= alarms.regressed <= 0.07


@pytest.mark.parametrize(("drift", "share"), [(linear, 0.8), (step, 0.4), (walk, 0.25)])
def test_drift_causes_false_alarms_when_one_side_runs_after_the_other(
    drift: Drift, share: float
) -> None:
    """The same cells differ in many runs if all cells of the base run first."""
    alarms = false_alarms(one_after_the_other(), drift, runs=2_000, seed=1)
    assert alarms.differs >= share
