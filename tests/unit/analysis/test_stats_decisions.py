"""Decisions: one-sided tests against a margin, their adjustment, and the test of outcomes."""

import math

import pytest
from scipy import stats as oracle

from harness.analysis.stats.ratios import ratio_of_pairs
from harness.analysis.stats.tests import holm, mcnemar, p_above, p_below

LOGS = [
    [0.02, 0.05],
    [0.11, 0.08, 0.13, 0.09, 0.12, 0.07, 0.1, 0.14],
    [-0.03, 0.01, 0.02, -0.01, 0.0, 0.04],
]
MARGINS = [-0.1, 0.0, math.log(1.05), math.log(1.1)]


@pytest.mark.parametrize("logs", LOGS)
@pytest.mark.parametrize("margin", MARGINS)
def test_one_sided_tests_agree_with_the_oracle(logs: list[float], margin: float) -> None:
    """Both are Student's one-sample t, each with its alternative."""
    above = oracle.ttest_1samp(logs, margin, alternative="greater").pvalue
    below = oracle.ttest_1samp(logs, margin, alternative="less").pvalue
    assert p_above(logs, margin) == pytest.approx(above)
    assert p_below(logs, margin) == pytest.approx(below)


@pytest.mark.parametrize("logs", [[], [0.5]])
def test_fewer_than_two_pairs_decide_nothing(logs: list[float]) -> None:
    """One pair, however far out, is no evidence."""
    assert p_above(logs, 0.0) == 1.0
    assert p_below(logs, 0.0) == 1.0


def test_pairs_without_spread_are_certain() -> None:
    """Equal pairs lie beyond a margin, on it, or within it, and only the first is above."""
    logs = [0.1, 0.1, 0.1]
    assert [p_above(logs, margin) for margin in (0.05, 0.1, 0.2)] == [0.0, 1.0, 1.0]
    assert [p_below(logs, margin) for margin in (0.05, 0.1, 0.2)] == [1.0, 1.0, 0.0]


def test_rounding_is_no_spread_and_no_difference() -> None:
    """Ratios of exactly the margin are not beyond it because of a logarithm's last bit."""
    logs = [math.log(11 * by) - math.log(10 * by) for by in (1, 3, 7, 13, 170)]
    assert len(set(logs)) > 1
    assert p_above(logs, math.log(1.1)) == 1.0
    assert p_below(logs, math.log(1.1)) == 1.0
    assert p_above(logs, math.log(1.09)) == 0.0


@pytest.mark.parametrize("margin", MARGINS)
def test_one_sided_test_at_5_percent_is_an_end_of_the_90_percent_interval(margin: float) -> None:
    """Above the margin at 5 % is the same as a 90 % interval that lies above it; below it likewise."""
    pairs = [(1.0, math.exp(log)) for log in LOGS[1]]
    found = ratio_of_pairs(pairs, confidence=0.90)
    assert found.low is not None
    assert found.high is not None
    assert (p_above(LOGS[1], margin) < 0.05) == (found.low > math.exp(margin))
    assert (p_below(LOGS[1], margin) < 0.05) == (found.high < math.exp(margin))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.9, 0.8, 0.0], [1.0, 1.0, 0.0]),
        ([0.02, 0.02], [0.04, 0.04]),
    ],
)
def test_holm_gives_the_values_worked_by_hand(given: list[float], expected: list[float]) -> None:
    """The lowest is multiplied by all, the next by one fewer; none falls below the one before."""
    assert holm(given) == pytest.approx(expected)


@pytest.mark.parametrize("base_only", range(8))
@pytest.mark.parametrize("branch_only", range(8))
def test_mcnemar_is_the_exact_binomial_test(base_only: int, branch_only: int) -> None:
    """Of the pairs that disagree each side should have half."""
    n = base_only + branch_only
    expected = oracle.binomtest(base_only, n).pvalue if n else 1.0
    assert mcnemar(base_only, branch_only) == pytest.approx(expected)


def test_mcnemar_needs_six_pairs_that_disagree() -> None:
    """Five failures of one side alone are not yet significant at 5 %, six are."""
    assert mcnemar(5, 0) == 0.0625
    assert mcnemar(0, 6) == 0.03125
