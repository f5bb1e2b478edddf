"""The paired ratio in logarithms, against scipy's own as an oracle."""

import itertools
import math

import pytest
from scipy import stats as oracle

from harness.analysis.stats.ratios import (
    Estimate,
    change_of,
    deviation,
    geometric_mean,
    log_ratios,
    ratio_of_pairs,
)

PAIRS = [
    [(100.0, 110.0), (102.0, 115.0)],
    [(1.0, 2.0), (1.1, 2.1), (0.9, 2.4)],
    [
        (5.0, 4.0),
        (5.5, 4.1),
        (5.2, 4.4),
        (5.1, 3.9),
        (4.9, 4.2),
        (5.3, 4.0),
        (5.0, 4.1),
        (5.6, 3.8),
    ],
    [(1e-6, 3e6), (2e-6, 1e6)],
]


@pytest.mark.parametrize(
    ("pairs", "confidence"), list(itertools.product(PAIRS, [0.8, 0.95, 0.99]))
)
def test_ratio_of_pairs_agrees_with_a_one_sample_t_test_on_logs(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """The interval is that of Student's t over the logarithms of the ratios."""
    logs = [math.log(branch / base) for base, branch in pairs]
    expected = oracle.ttest_1samp(logs, 0).confidence_interval(confidence)
    found = ratio_of_pairs(pairs, confidence=confidence)
    assert found.value == pytest.approx(oracle.gmean([branch / base for base, branch in pairs]))
    assert found.low == pytest.approx(math.exp(expected.low))
    assert found.high == pytest.approx(math.exp(min(expected.high, 709)), rel=1e-6) or (
        found.high == math.inf
    )
    assert found.n == len(pairs)


def test_ratio_of_one_pair_has_no_interval() -> None:
    """One pair shows a ratio and nothing of its spread."""
    found = ratio_of_pairs([(2.0, 1.0)])
    assert found == Estimate(value=math.exp(-math.log(2)), low=None, high=None, n=1)
    assert found.value == pytest.approx(0.5)


def test_change_beyond_a_float_is_infinite() -> None:
    """What two wild pairs could have shown is no error."""
    assert change_of(math.log(1.5)) == pytest.approx(0.5)
    assert change_of(1e6) == math.inf


def test_ratio_of_equal_pairs_is_a_point() -> None:
    """Pairs without spread have an interval without width."""
    found = ratio_of_pairs([(2.0, 4.0), (3.0, 6.0), (1.0, 2.0)])
    assert (found.low, found.value, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_ratio_of_two_wild_pairs_has_no_upper_end() -> None:
    """An end beyond what a float holds is infinity, not an overflow."""
    found = ratio_of_pairs([(1.0, 1e150), (1e150, 1.0)])
    assert found.high == math.inf
    assert found.low == pytest.approx(0.0)


def test_log_ratio_is_above_zero_where_the_branch_has_more() -> None:
    """The branch stands over the base, in natural logarithms."""
    assert log_ratios([(2.0, 2.0 * math.e), (5.0, 5.0), (math.e**3, 1.0)]) == pytest.approx(
        [1.0, 0.0, -3.0], abs=1e-15
    )


def test_deviation_is_that_of_a_sample() -> None:
    """The divisor is one less than the number of pairs."""
    logs = [0.01, -0.02, 0.05, 0.0]
    assert deviation(logs) == pytest.approx(oracle.tstd(logs))


@pytest.mark.parametrize("logs", [[], [0.3]])
def test_deviation_needs_two_pairs(logs: list[float]) -> None:
    """One pair has no spread that could be seen."""
    assert deviation(logs) is None


def test_geometric_mean_is_that_of_the_oracle() -> None:
    """The mean of ratios is taken in logarithms."""
    assert geometric_mean([1.0, 2.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([0.3, 17.0, 5.5]) == pytest.approx(oracle.gmean([0.3, 17.0, 5.5]))
