"""What a run could have seen, against scipy's noncentral t and published sample sizes."""

import math

import pytest
from scipy import stats as oracle

from harness.analysis.stats.ratios import deviation
from harness.analysis.stats.tests import pairs_needed, power_of, smallest_effect


def make_logs(mean: float, sd: float, n: int = 8) -> list[float]:
    """Return n values of exactly that mean and deviation, half of them on either side."""
    step = sd * math.sqrt((n - 1) / n)
    return [mean + (step if index % 2 else -step) for index in range(n)]


@pytest.mark.parametrize("n", [2, 3, 4, 8, 20, 200])
@pytest.mark.parametrize(("power", "alpha"), [(0.8, 0.05), (0.9, 0.05), (0.8, 0.01)])
def test_smallest_effect_is_found_with_its_power(n: int, power: float, alpha: float) -> None:
    """The noncentral t distribution puts that share beyond the critical value."""
    effect = smallest_effect(0.03, n, power=power, alpha=alpha)
    assert effect is not None
    critical = oracle.t.isf(alpha, n - 1)
    found = oracle.nct.sf(critical, n - 1, effect / 0.03 * math.sqrt(n))
    assert found == pytest.approx(power, abs=1e-5)


@pytest.mark.parametrize(
    ("sd", "by_pairs"),
    [
        (0.03, {4: (5.1, 6.6), 8: (3.0, 3.5), 20: (1.7, 2.0)}),
        (0.05, {4: (8.6, 11.2), 8: (5.0, 6.0), 20: (2.9, 3.4)}),
    ],
)
def test_smallest_effect_in_percent_by_pairs(
    sd: float, by_pairs: dict[int, tuple[float, float]]
) -> None:
    """One-sided as the gate decides, and two-sided as planners quote it."""
    found = {}
    for n in by_pairs:
        effects = [smallest_effect(sd, n), smallest_effect(sd, n, sides=2)]
        found[n] = tuple(round(100 * math.expm1(effect), 1) for effect in effects if effect)
    assert found == by_pairs


def test_smallest_effect_agrees_with_published_sample_sizes() -> None:
    """Half a standard deviation takes 34 pairs two-sided, and 27 one-sided (R's power.t.test: 33.4 and 26.1)."""
    for sides, enough in ((2, 34), (1, 27)):
        seen = smallest_effect(1.0, enough, sides=2 if sides == 2 else 1)
        missed = smallest_effect(1.0, enough - 1, sides=2 if sides == 2 else 1)
        assert seen is not None
        assert missed is not None
        assert seen <= 0.5 < missed


@pytest.mark.parametrize("n", [0, 1])
def test_smallest_effect_needs_two_pairs(n: int) -> None:
    """One pair sees nothing, whatever its size."""
    assert smallest_effect(0.03, n) is None


def test_smallest_effect_without_spread_is_none_at_all() -> None:
    """Where pairs do not scatter every difference is seen."""
    assert smallest_effect(0.0, 8) == 0.0


def test_made_logs_are_what_they_should_be() -> None:
    """The builder of this module makes the deviation that it was asked for."""
    assert deviation(make_logs(0.02, 0.05)) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("sd", "power", "pairs"), [(0.03, 0.8, 5), (0.03, 0.9, 5), (0.05, 0.8, 9), (0.05, 0.9, 11)]
)
def test_pairs_needed_for_non_inferiority(sd: float, power: float, pairs: int) -> None:
    """No change at a margin of 5 % takes 5 pairs at a deviation of 3 %, and 9 to 11 at 5 %."""
    assert pairs_needed(make_logs(0.0, sd), math.log(1.05), power=power) == pairs


@pytest.mark.parametrize("mean", [0.0, math.log(1.1**2)])
def test_pairs_needed_is_the_same_on_both_sides_of_the_margin(mean: float) -> None:
    """As far beyond as within takes as many pairs, and one fewer would not do."""
    logs = make_logs(mean, 0.1)
    needed = pairs_needed(logs, math.log(1.1))
    assert needed is not None
    enough, short = (smallest_effect(0.1, n) for n in (needed, needed - 1))
    assert enough is not None
    assert short is not None
    assert enough <= math.log(1.1) < short


def test_two_pairs_are_needed_where_nothing_scatters() -> None:
    """Equal pairs decide as soon as a test can be made at all."""
    assert pairs_needed([0.2, 0.2, 0.2], 0.1) == 2


@pytest.mark.parametrize("logs", [[], [0.2], [0.1, 0.1], [0.05, 0.15]])
def test_pairs_needed_is_unknown(logs: list[float]) -> None:
    """Too few pairs to judge by, or a mean that lies on the margin, have no answer."""
    assert pairs_needed(logs, 0.1) is None


def test_pairs_needed_gives_up_beyond_a_bound() -> None:
    """What takes more pairs than anybody would run is never decided."""
    logs = make_logs(0.0, 0.05)
    needed = pairs_needed(logs, 0.01)
    assert needed is not None
    assert pairs_needed(logs, 0.01, at_most=needed) == needed
    assert pairs_needed(logs, 0.01, at_most=needed - 1) is None
    assert pairs_needed(logs, 0.01, at_most=1) is None


@pytest.mark.parametrize("n", [2, 4, 8, 20])
def test_power_is_the_inverse_of_the_smallest_effect(n: int) -> None:
    """What is found with a power of 80 % has that power; without an effect only false alarms are left."""
    effect = smallest_effect(0.03, n)
    assert effect is not None
    assert power_of(effect, 0.03, n) == pytest.approx(0.8)
    assert power_of(0.0, 0.03, n) == pytest.approx(0.05)


def test_power_of_one_pair_is_none() -> None:
    """One pair has no spread, so that nothing can be told."""
    assert power_of(1.0, 0.03, 1) == 0.0
