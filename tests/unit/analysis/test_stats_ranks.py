"""The Hodges–Lehmann estimate, against a published example and scipy's signed-rank test."""

import math

import pytest
from scipy import optimize, stats as oracle

from harness.analysis.stats.ratios import hodges_lehmann, log_ratios, pseudomedian

# Hamilton depression factor of nine patients before and after a tranquilliser: Hollander & Wolfe, table 3.1
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

PAIRS = [
    (10.0, 10.9),
    (10.4, 10.1),
    (9.7, 10.8),
    (10.2, 11.9),
    (10.1, 10.25),
    (9.9, 9.85),
    (10.3, 11.1),
    (10.0, 10.6),
]


def test_pseudomedian_is_that_of_the_textbook() -> None:
    """Hollander & Wolfe, examples 3.3 and 3.4: -0.46, and from -0.786 to -0.010 with a coverage of 96 %."""
    changes = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]
    found = pseudomedian(changes)
    assert found.value == pytest.approx(-0.46)
    assert found.low == pytest.approx(-0.786)
    assert found.high == pytest.approx(-0.010)
    assert found.n == 9


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_interval_holds_what_the_exact_signed_rank_test_does_not_reject(confidence: float) -> None:
    """Just within either end the test keeps a ratio, just outside it rejects it."""
    logs = log_ratios(PAIRS)
    found = pseudomedian(logs, confidence=confidence)

    def p_value(centre: float) -> float:
        moved = [value - centre for value in logs]
        return float(oracle.wilcoxon(moved, method="exact").pvalue)

    assert found.low is not None
    assert found.high is not None
    assert p_value(found.low - 1e-9) <= 1 - confidence < p_value(found.low + 1e-9)
    assert p_value(found.high + 1e-9) <= 1 - confidence < p_value(found.high - 1e-9)


def test_hodges_lehmann_is_a_ratio() -> None:
    """What is estimated in logarithms is given as branch over base."""
    logs = pseudomedian(log_ratios(PAIRS))
    found = hodges_lehmann(PAIRS)
    assert logs.low is not None
    assert logs.high is not None
    assert found.value == math.exp(logs.value)
    assert (found.low, found.high) == (math.exp(logs.low), math.exp(logs.high))
    assert found.n == 8


def test_centre_balances_the_signed_ranks() -> None:
    """The estimate is where the signed-rank statistic is at its expectation."""

    def imbalance(centre: float) -> float:
        moved = [value - centre for value in log_ratios(PAIRS)]
        ranks = oracle.rankdata([abs(value) for value in moved])
        signs = [math.copysign(1, value) for value in moved]
        return sum(sign * rank for sign, rank in zip(signs, ranks, strict=True))

    balance = optimize.bisect(imbalance, -1, 1)
    middle = pseudomedian(log_ratios(PAIRS)).value
    assert imbalance(middle - 1e-3) >= 0 >= imbalance(middle + 1e-3)
    assert middle == pytest.approx(balance, abs=1e-2)


@pytest.mark.parametrize(
    ("confidence", "fewest"), [(0.9, 5), (0.95, 6), (0.99, 8)], ids=["90 %", "95 %", "99 %"]
)
def test_interval_needs_as_many_pairs_as_can_reach_its_confidence(
    confidence: float, fewest: int
) -> None:
    """Five pairs on one side of zero have p = 0.0625, six 0.03125: below six there is no interval of 95 %."""
    below = hodges_lehmann(PAIRS[: fewest - 1], confidence=confidence)
    assert (below.low, below.high) == (None, None)
    enough = hodges_lehmann(PAIRS[:fewest], confidence=confidence)
    assert enough.low is not None
    assert enough.high is not None


def test_interval_may_be_exactly_as_sure_as_asked() -> None:
    """Five pairs reach 93.75 %, and who asks for just that gets it."""
    assert hodges_lehmann(PAIRS[:5], confidence=0.9375).low is not None
    assert hodges_lehmann(PAIRS[:5], confidence=0.9376).low is None


def test_outermost_pairs_bound_the_interval_of_six() -> None:
    """With six pairs the ends are the lowest and the highest ratio that was seen."""
    ratios = [branch / base for base, branch in PAIRS[:6]]
    found = hodges_lehmann(PAIRS[:6])
    assert (found.low, found.high) == pytest.approx((min(ratios), max(ratios)))


def test_one_wild_pair_does_not_pull_the_estimate() -> None:
    """However wild a pair is, beyond a point it changes nothing."""
    wild, wilder = (hodges_lehmann([*PAIRS[:7], (10.0, branch)]) for branch in (100.0, 1e9))
    assert wild.value == wilder.value
    assert wild.value < 1.2


def test_hodges_lehmann_of_one_pair_is_its_ratio() -> None:
    """One pair has a ratio, and no interval."""
    found = hodges_lehmann([(2.0, 3.0)])
    assert found.value == pytest.approx(1.5)
    assert (found.low, found.high, found.n) == (None, None, 1)
