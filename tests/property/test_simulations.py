"""Intervals hold what they should as often as they say, and the order of cells keeps a drifting host from passing for a regression.

`python -m tests.simulations --runs 60000` prints the figures that the bounds here were taken from.
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
    """A 95 % interval holds the truth in 93 to 97.5 % of runs, with 10 % of outliers at 5 deviations as without (0.950; 0.958 to 0.970)."""
    assert 0.93 <= t_coverage(noise, n, runs=4_000, seed=1) <= 0.975


@by_noise
@pytest.mark.parametrize("n", range(6, 21))
def test_rank_interval_covers_the_typical_ratio(noise: Noise, n: int) -> None:
    """The exact interval holds the truth at least as often as it says; with 6 pairs it cannot say less than 96.9 %."""
    assert 0.935 <= rank_coverage(noise, n, runs=2_000, seed=1) <= 0.985


@pytest.mark.parametrize("n", [4, 8, 12, 20])
def test_one_sided_outliers_cost_the_t_interval_some_of_its_coverage(n: int) -> None:
    """Where the branch alone has outliers, always upwards, 95 % are some 90 %; the interval by ranks of the typical ratio keeps its word."""
    assert 0.86 <= t_coverage(ONE_SIDED, n, runs=4_000, seed=1) <= 0.94
    if n >= 6:
        assert 0.935 <= rank_coverage(ONE_SIDED, n, runs=2_000, seed=1) <= 0.985


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_ratio_on_the_margin_is_rarely_declared_beyond_or_within(n: int) -> None:
    """The one-sided decision is wrong in 5 % of runs at worst, which is where the true ratio is the margin itself."""
    margin = math.log(1.05)
    decisions = (partial(p_above, log_margin=margin), partial(p_below, log_margin=margin))
    for decide in decisions:
        assert 0.04 <= share_decided(decide, margin, n, runs=4_000, seed=1) <= 0.06


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_smallest_effect_is_seen_in_four_runs_of_five(n: int) -> None:
    """What a run is said to have been able to see beyond its margin, it sees with a power of 80 %."""
    margin = math.log(1.05)
    effect = smallest_effect(SD, n)
    assert effect is not None
    decide = partial(p_above, log_margin=margin)
    assert 0.78 <= share_decided(decide, margin + effect, n, runs=4_000, seed=1) <= 0.82


def test_the_order_that_is_simulated_is_the_order_that_is_run() -> None:
    """Eight pairs, neighbours in time, in which either side is first as often; the other order has each side in one piece."""
    planned = planned_order()
    pairs = list(zip(planned[::2], planned[1::2], strict=True))
    assert len(pairs) == 2 * PLAN.blocks
    for first, second in pairs:
        assert (first.block, first.pair) == (second.block, second.pair)
        assert first.side is second.side.other
    assert sum(first.side is planned[0].side for first, _ in pairs) == PLAN.blocks
    assert len({slot.side for slot in one_after_the_other()[: 2 * PLAN.blocks]}) == 1


@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_drift_of_the_host_is_no_regression_in_the_planned_order(drift: Drift) -> None:
    """One build against itself differs, or regresses, in 7 % of runs at most, however the host drifts meanwhile."""
    alarms = false_alarms(planned_order(), drift, runs=4_000, seed=1)
    assert 0.03 <= alarms.differs <= 0.07
    assert 0.03 <= alarms.regressed <= 0.07


@pytest.mark.parametrize(("drift", "share"), [(linear, 0.8), (step, 0.4), (walk, 0.25)])
def test_drift_passes_for_a_difference_when_one_side_runs_after_the_other(
    drift: Drift, share: float
) -> None:
    """The same cells on the same host, all of the base first, differ in so many runs: the order is what the tests rest on."""
    alarms = false_alarms(one_after_the_other(), drift, runs=2_000, seed=1)
    assert alarms.differs >= share
