"""Tests and their power, against scipy and published values."""

import math

import pytest
from scipy import stats as oracle

from harness.analysis.stats.ratios import deviation, ratio_of_pairs
from harness.analysis.stats.tests import (
    holm,
    mcnemar,
    p_above,
    p_below,
    pairs_needed,
    power_of,
    smallest_effect,
)

LOGS = [
    [0.02, 0.05],
    [0.11, 0.08, 0.13, 0.09, 0.12, 0.07, 0.1, 0.14],
    [-0.03, 0.01, 0.02, -0.01, 0.0, 0.04],
]
MARGINS = [-0.1, 0.0, math.log(1.05), math.log(1.1)]


@pytest.mark.parametrize("logs", LOGS)
@pytest.mark.parametrize("margin", MARGINS)
def test_one_sided_tests_agree_with_the_oracle(logs: list[float], margin: float) -> None:
    """Both are Student's one-sample t test, with opposite alternatives."""
    above = oracle.ttest_1samp(logs, margin, alternative="greater").pvalue
    below = oracle.ttest_1samp(logs, margin, alternative="less").pvalue
    assert p_above(logs, margin) == pytest.approx(above)
    assert p_below(logs, margin) == pytest.approx(below)


@pytest.mark.parametrize("logs", [[], [0.5]])
def test_fewer_than_two_pairs_are_no_evidence(logs: list[float]) -> None:
    """Even one extreme pair has p = 1."""
    assert p_above(logs, 0.0) == 1.0
    assert p_below(logs, 0.0) == 1.0


def test_pairs_without_spread_are_certain() -> None:
    """Equal pairs are above a margin only if they lie beyond it."""
    logs = [0.1, 0.1, 0.1]
    assert [p_above(logs, margin) for margin in (0.05, 0.1, 0.2)] == [0.0, 1.0, 1.0]
    assert [p_below(logs, margin) for margin in (0.05, 0.1, 0.2)] == [1.0, 1.0, 0.0]


def test_rounding_is_no_spread_and_no_difference() -> None:
    """Ratios exactly at the margin are not beyond it, whatever the last bit is."""
    logs = [math.log(11 * by) - math.log(10 * by) for by in (1, 3, 7, 13, 170)]
    assert len(set(logs)) > 1
    assert p_above(logs, math.log(1.1)) == 1.0
    assert p_below(logs, math.log(1.1)) == 1.0
    assert p_above(logs, math.log(1.09)) == 0.0


@pytest.mark.parametrize("margin", MARGINS)
def test_one_sided_test_at_5_percent_is_an_end_of_the_90_percent_interval(margin: float) -> None:
    """A test at 5 % rejects where the 90 % interval excludes the margin."""
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
def test_holm_agrees_with_values_worked_by_hand(given: list[float], expected: list[float]) -> None:
    """The lowest is multiplied by n, the next by n - 1, and so on, without a fall."""
    assert holm(given) == pytest.approx(expected)


@pytest.mark.parametrize("base_only", range(8))
@pytest.mark.parametrize("branch_only", range(8))
def test_mcnemar_is_the_exact_binomial_test(base_only: int, branch_only: int) -> None:
    """Equal sides split the pairs that disagree in half."""
    n = base_only + branch_only
    expected = oracle.binomtest(base_only, n).pvalue if n else 1.0
    assert mcnemar(base_only, branch_only) == pytest.approx(expected)


def test_mcnemar_needs_six_pairs_that_disagree() -> None:
    """Five failures of one side are not significant at 5 %, six are."""
    assert mcnemar(5, 0) == 0.0625
    assert mcnemar(0, 6) == 0.03125


def make_logs(mean: float, sd: float, n: int = 8) -> list[float]:
    """Return n values of exactly this mean and deviation."""
    step = sd * math.sqrt((n - 1) / n)
    return [mean + (step if index % 2 else -step) for index in range(n)]


@pytest.mark.parametrize("n", [2, 3, 4, 8, 20, 200])
@pytest.mark.parametrize(("power", "alpha"), [(0.8, 0.05), (0.9, 0.05), (0.8, 0.01)])
def test_smallest_effect_is_detected_with_its_power(n: int, power: float, alpha: float) -> None:
    """This share of the noncentral t distribution is beyond the critical value."""
    effect = smallest_effect(0.03, n, power=power, alpha=alpha)
    assert effect is not None
    critical = oracle.t.isf(alpha, n - 1)
    found = oracle.nct.sf(critical, n - 1, effect / 0.03 * math.sqrt(n))
    assert found == pytest.approx(power, abs=1e-5)


@pytest.mark.parametrize(
    ("sd", "by_pairs"),
    [(0.03, {4: 5.1, 8: 3.0, 20: 1.7}), (0.05, {4: 8.6, 8: 5.0, 20: 2.9})],
)
def test_smallest_effect_in_percent_by_pairs(sd: float, by_pairs: dict[int, float]) -> None:
    """These are the effects of the docs, in per cent."""
    effects = {n: smallest_effect(sd, n) for n in by_pairs}
    shown = {n: round(100 * math.expm1(effect), 1) for n, effect in effects.items() if effect}
    assert shown == by_pairs


def test_smallest_effect_agrees_with_published_sample_sizes() -> None:
    """Half a standard deviation takes 27 pairs (R's power.t.test, one-sided: 26.1)."""
    detected, missed = smallest_effect(1.0, 27), smallest_effect(1.0, 26)
    assert detected is not None
    assert missed is not None
    assert detected <= 0.5 < missed


@pytest.mark.parametrize("n", [0, 1])
def test_smallest_effect_needs_two_pairs(n: int) -> None:
    """One pair detects nothing."""
    assert smallest_effect(0.03, n) is None


def test_smallest_effect_without_spread_is_zero() -> None:
    """Pairs without spread detect every difference."""
    assert smallest_effect(0.0, 8) == 0.0


def test_made_logs_have_their_deviation() -> None:
    """The builder of this module returns the requested deviation."""
    assert deviation(make_logs(0.02, 0.05)) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("sd", "power", "pairs"), [(0.03, 0.8, 5), (0.03, 0.9, 5), (0.05, 0.8, 9), (0.05, 0.9, 11)]
)
def test_pairs_needed_for_non_inferiority(sd: float, power: float, pairs: int) -> None:
    """At a margin of 5 % it takes 5 pairs at a deviation of 3 %, and 9 to 11 at 5 %."""
    assert pairs_needed(make_logs(0.0, sd), math.log(1.05), power=power) == pairs


@pytest.mark.parametrize("mean", [0.0, math.log(1.1**2)])
def test_pairs_needed_is_the_same_on_both_sides_of_the_margin(mean: float) -> None:
    """The same distance takes the same number of pairs, and one fewer is not enough."""
    logs = make_logs(mean, 0.1)
    needed = pairs_needed(logs, math.log(1.1))
    assert needed is not None
    enough, short = (smallest_effect(0.1, n) for n in (needed, needed - 1))
    assert enough is not None
    assert short is not None
    assert enough <= math.log(1.1) < short


def test_two_pairs_are_needed_without_spread() -> None:
    """Two pairs are the fewest for a test."""
    assert pairs_needed([0.2, 0.2, 0.2], 0.1) == 2


@pytest.mark.parametrize("logs", [[], [0.2], [0.1, 0.1], [0.05, 0.15]])
def test_pairs_needed_is_unknown(logs: list[float]) -> None:
    """Too few pairs, or a mean on the margin, have no answer."""
    assert pairs_needed(logs, 0.1) is None


def test_pairs_needed_is_bounded() -> None:
    """Beyond the bound the answer is None."""
    logs = make_logs(0.0, 0.05)
    needed = pairs_needed(logs, 0.01)
    assert needed is not None
    assert pairs_needed(logs, 0.01, at_most=needed) == needed
    assert pairs_needed(logs, 0.01, at_most=needed - 1) is None
    assert pairs_needed(logs, 0.01, at_most=1) is None


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_power_is_the_inverse_of_the_smallest_effect(n: int) -> None:
    """The smallest effect has 80 % power; no effect has that of false alarms."""
    effect = smallest_effect(0.03, n)
    assert effect is not None
    assert power_of(effect, 0.03, n) == pytest.approx(0.8)
    assert power_of(0.0, 0.03, n) == pytest.approx(0.05)


def test_power_of_one_pair_is_zero() -> None:
    """One pair detects nothing."""
    assert power_of(1.0, 0.03, 1) == 0.0
