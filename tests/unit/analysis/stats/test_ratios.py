"""Ratios of pairs by the t distribution and by ranks, against scipy and a textbook."""

import itertools
import math
from collections.abc import Sequence

import pytest
from scipy import optimize, stats as oracle

from harness.analysis.stats.ratios import (
    Estimate,
    change_of,
    deviation,
    geometric_mean,
    log_ratios,
    pseudomedian,
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

# Hamilton depression factor of nine patients before and after a tranquilliser: Hollander & Wolfe, table 3.1
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

RANKED = [
    (10.0, 10.9),
    (10.4, 10.1),
    (9.7, 10.8),
    (10.2, 11.9),
    (10.1, 10.25),
    (9.9, 9.85),
    (10.3, 11.1),
    (10.0, 10.6),
]


@pytest.mark.parametrize(
    ("pairs", "confidence"), list(itertools.product(PAIRS, [0.8, 0.95, 0.99]))
)
def test_ratio_of_pairs_agrees_with_a_one_sample_t_test_on_logs(
    pairs: list[tuple[float, float]], confidence: float
) -> None:
    """The interval is Student's t interval of the log ratios."""
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
    """One pair has no spread."""
    found = ratio_of_pairs([(2.0, 1.0)])
    assert found == Estimate(value=math.exp(-math.log(2)), low=None, high=None, n=1)
    assert found.value == pytest.approx(0.5)


def test_change_beyond_a_float_is_infinite() -> None:
    """An overflow is infinity, not an error."""
    assert change_of(math.log(1.5)) == pytest.approx(0.5)
    assert change_of(1e6) == math.inf


def test_ratio_of_equal_pairs_is_a_point() -> None:
    """Without spread the interval has no width."""
    found = ratio_of_pairs([(2.0, 4.0), (3.0, 6.0), (1.0, 2.0)])
    assert (found.low, found.value, found.high) == pytest.approx((2.0, 2.0, 2.0))


def test_ratio_of_two_wild_pairs_has_no_upper_end() -> None:
    """An end beyond a float's range is infinity."""
    found = ratio_of_pairs([(1.0, 1e150), (1e150, 1.0)])
    assert found.high == math.inf
    assert found.low == pytest.approx(0.0)


def test_log_ratio_is_above_zero_where_the_branch_has_more() -> None:
    """It is the natural logarithm of branch over base."""
    assert log_ratios([(2.0, 2.0 * math.e), (5.0, 5.0), (math.e**3, 1.0)]) == pytest.approx(
        [1.0, 0.0, -3.0], abs=1e-15
    )


def test_deviation_is_that_of_a_sample() -> None:
    """The divisor is n - 1."""
    logs = [0.01, -0.02, 0.05, 0.0]
    assert deviation(logs) == pytest.approx(oracle.tstd(logs))


@pytest.mark.parametrize("logs", [[], [0.3]])
def test_deviation_needs_two_pairs(logs: list[float]) -> None:
    """One pair has no deviation."""
    assert deviation(logs) is None


def test_geometric_mean_is_that_of_the_oracle() -> None:
    """Means of ratios are means of logarithms."""
    assert geometric_mean([1.0, 2.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([0.3, 17.0, 5.5]) == pytest.approx(oracle.gmean([0.3, 17.0, 5.5]))


def _typical_ratio(pairs: Sequence[tuple[float, float]], confidence: float = 0.95) -> Estimate:
    return pseudomedian(log_ratios(pairs), confidence=confidence).exp()


def test_pseudomedian_is_that_of_the_textbook() -> None:
    """Hollander & Wolfe, examples 3.3 and 3.4, with a coverage of 96 %."""
    changes = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]
    found = pseudomedian(changes)
    assert found.value == pytest.approx(-0.46)
    assert found.low == pytest.approx(-0.786)
    assert found.high == pytest.approx(-0.010)
    assert found.n == 9


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_rank_interval_agrees_with_the_exact_signed_rank_test(confidence: float) -> None:
    """The test accepts a ratio just inside an end, and rejects one just outside."""
    logs = log_ratios(RANKED)
    found = pseudomedian(logs, confidence=confidence)

    def p_value(centre: float) -> float:
        moved = [value - centre for value in logs]
        return float(oracle.wilcoxon(moved, method="exact").pvalue)

    assert found.low is not None
    assert found.high is not None
    assert p_value(found.low - 1e-9) <= 1 - confidence < p_value(found.low + 1e-9)
    assert p_value(found.high + 1e-9) <= 1 - confidence < p_value(found.high - 1e-9)


def test_rank_interval_as_a_ratio_is_that_of_the_logs() -> None:
    """An estimate in logarithms becomes branch over base."""
    logs = pseudomedian(log_ratios(RANKED))
    found = _typical_ratio(RANKED)
    assert logs.low is not None
    assert logs.high is not None
    assert found.value == math.exp(logs.value)
    assert (found.low, found.high) == (math.exp(logs.low), math.exp(logs.high))
    assert found.n == 8


def test_pseudomedian_balances_the_signed_ranks() -> None:
    """The signed-rank statistic is at its expectation there."""

    def imbalance(centre: float) -> float:
        moved = [value - centre for value in log_ratios(RANKED)]
        ranks = oracle.rankdata([abs(value) for value in moved])
        signs = [math.copysign(1, value) for value in moved]
        return sum(sign * rank for sign, rank in zip(signs, ranks, strict=True))

    balance = optimize.bisect(imbalance, -1, 1)
    middle = pseudomedian(log_ratios(RANKED)).value
    assert imbalance(middle - 1e-3) >= 0 >= imbalance(middle + 1e-3)
    assert middle == pytest.approx(balance, abs=1e-2)


@pytest.mark.parametrize(
    ("confidence", "fewest"), [(0.9, 5), (0.95, 6), (0.99, 8)], ids=["90 %", "95 %", "99 %"]
)
def test_rank_interval_needs_enough_pairs_for_its_confidence(
    confidence: float, fewest: int
) -> None:
    """Five pairs on one side of zero have p = 0.0625, six 0.03125."""
    below = _typical_ratio(RANKED[: fewest - 1], confidence=confidence)
    assert (below.low, below.high) == (None, None)
    enough = _typical_ratio(RANKED[:fewest], confidence=confidence)
    assert enough.low is not None
    assert enough.high is not None


def test_rank_interval_may_have_exactly_the_requested_confidence() -> None:
    """Five pairs reach 93.75 %."""
    assert _typical_ratio(RANKED[:5], confidence=0.9375).low is not None
    assert _typical_ratio(RANKED[:5], confidence=0.9376).low is None


def test_rank_interval_of_six_pairs_is_their_range() -> None:
    """Its ends are the lowest and the highest ratio."""
    ratios = [branch / base for base, branch in RANKED[:6]]
    found = _typical_ratio(RANKED[:6])
    assert (found.low, found.high) == pytest.approx((min(ratios), max(ratios)))


def test_pseudomedian_is_robust_to_an_outlier() -> None:
    """A larger outlier changes nothing."""
    wild, wilder = (_typical_ratio([*RANKED[:7], (10.0, branch)]) for branch in (100.0, 1e9))
    assert wild.value == wilder.value
    assert wild.value < 1.2


def test_pseudomedian_of_one_pair_is_its_ratio() -> None:
    """One pair has no interval."""
    found = _typical_ratio([(2.0, 3.0)])
    assert found.value == pytest.approx(1.5)
    assert (found.low, found.high, found.n) == (None, None, 1)
