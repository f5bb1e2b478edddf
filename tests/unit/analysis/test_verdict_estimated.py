"""Metrics that are estimated: where their pairs stand to a margin, and what is said of that."""

import math
from collections.abc import Sequence

import pytest

from harness.analysis.verdict.estimated import (
    MarginBounds,
    Paired,
    judge_estimated,
    margin_bounds,
    smallest_visible,
    stand,
)
from harness.analysis.verdict.kinds import MetricVerdict, Standing, Verdict
from harness.model.gate import Margin, NoiseFloor
from tests.builders.gated import TENTHS, logs_of, logs_with_p, make_noise_floor

CPU = "cpu-ms/turn"
TENTH = math.log(1.1)


def _paired(logs: Sequence[float], *, metric: str = CPU, base: float = 2.0) -> Paired:
    pairs = [(base, base * math.exp(log)) for log in logs]
    return Paired(metric=metric, level=500, pairs=pairs)


def _judge(
    logs: Sequence[float],
    *,
    margin: Margin = TENTHS[CPU],
    noise_floor: NoiseFloor | None = None,
    base: float = 2.0,
) -> MetricVerdict:
    (judged,) = judge_estimated([_paired(logs, base=base)], {CPU: margin}, noise_floor)
    return judged


@pytest.mark.parametrize(
    ("mean", "half", "verdict"),
    [
        (0.20, 0.05, Verdict.REGRESSED),
        (-0.20, 0.05, Verdict.IMPROVED),
        (0.00, 0.05, Verdict.EQUIVALENT),
        (-0.08, 0.05, Verdict.NON_INFERIOR),
        (-0.03, 0.12, Verdict.NON_INFERIOR),
        (0.08, 0.05, Verdict.INCONCLUSIVE),
        (0.12, 0.05, Verdict.INCONCLUSIVE),
        (0.00, 0.20, Verdict.INCONCLUSIVE),
    ],
)
def test_estimated_verdict_is_where_the_interval_lies(
    mean: float, half: float, verdict: Verdict
) -> None:
    """Wholly beyond the margin, wholly beyond its mirror, all within, the upper end within, or none of these."""
    judged = _judge(logs_of(mean, half))
    assert (judged.verdict, judged.is_gated) == (verdict, True)


def test_estimated_verdict_shows_what_it_rests_on() -> None:
    """Means, the ratio with an unadjusted 95 % interval, the margin, the p value and what would have been seen."""
    judged = _judge(logs_of(0.20, 0.05))
    assert (judged.base, judged.branch, judged.level) == ("2", "2.44", 500)
    assert judged.ratio is not None
    assert judged.ratio.value == pytest.approx(math.exp(0.20))
    assert judged.ratio.low == pytest.approx(math.exp(0.20 - 0.05 * 2.3646 / 1.8946), rel=1e-4)
    assert judged.limit == pytest.approx(TENTH)
    assert judged.p == pytest.approx(0.0027, rel=0.05)
    assert judged.needed is None
    effect = 0.05 / 1.8946 * (1.8946 + 0.896)  # sd/√n times what the noncentral t adds for 80 %
    assert judged.smallest == pytest.approx(1.1 * math.exp(effect) - 1, rel=0.02)


def test_estimated_verdict_that_is_open_says_how_many_pairs_would_decide() -> None:
    """An estimate that is within the margin by half of its half-interval needs seven times the pairs."""
    judged = _judge(logs_of(0.07, 0.05))
    assert (judged.verdict, judged.needed) == (Verdict.INCONCLUSIVE, 56)


def test_estimated_verdict_on_the_margin_is_in_no_number_of_pairs_sight() -> None:
    """A change of exactly the margin is never decided."""
    judged = _judge(logs_of(TENTH, 0.05))
    assert (judged.verdict, judged.needed) == (Verdict.INCONCLUSIVE, None)


def test_estimated_verdict_of_one_pair_decides_nothing() -> None:
    """There is a ratio, and neither an interval nor a number of pairs."""
    judged = _judge([0.5])
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert (judged.p, judged.needed, judged.smallest) == (1.0, None, None)


@pytest.mark.parametrize(
    ("log", "verdict"),
    [(0.2, Verdict.REGRESSED), (-0.2, Verdict.IMPROVED), (0.0, Verdict.EQUIVALENT)],
)
def test_estimated_verdict_of_pairs_without_spread_is_certain(
    log: float, verdict: Verdict
) -> None:
    """Figures that are rounded may be equal in every pair; what would be seen is then the margin itself."""
    judged = _judge([log] * 3)
    assert judged.verdict is verdict
    assert judged.smallest == pytest.approx(0.1)


@pytest.mark.parametrize(("n", "verdict"), [(1, "inconclusive"), (2, "equivalent")])
def test_estimated_verdict_of_equal_pairs_is_within_a_margin_of_zero(n: int, verdict: str) -> None:
    """What is equal in every pair is no worse than nothing; one pair may be chance."""
    assert _judge([0.0] * n, margin=Margin(amount=0, is_relative=False)).verdict == verdict


def test_estimated_margin_in_its_own_unit_is_taken_of_the_side_that_is_exceeded() -> None:
    """0.5 ms is a quarter of 2 ms, and a third of 1.5: the two limits mirror each other when the sides are swapped."""
    margin = Margin(amount=0.5, is_relative=False)
    limits = margin_bounds(margin, 2.0, 1.5)
    assert limits.upper == pytest.approx(math.log(2.5 / 2.0))
    assert limits.lower == pytest.approx(-math.log(2.0 / 1.5))
    swapped = margin_bounds(margin, 1.5, 2.0)
    assert (swapped.upper, swapped.lower) == (-limits.lower, -limits.upper)
    assert limits.narrower == swapped.narrower == limits.upper
    assert _judge(logs_of(math.log(2.6 / 2), 0.01), margin=margin).verdict is Verdict.REGRESSED
    assert _judge(logs_of(math.log(2.4 / 2), 0.01), margin=margin).verdict is Verdict.EQUIVALENT


def test_estimated_verdicts_are_adjusted_for_one_another() -> None:
    """Of three metrics that are each significant alone, the one that is so three times over remains."""
    names = tuple(name for name in TENTHS if name in {CPU, "latency-infl", "rss-kb/sess"})
    limits = [margin_bounds(TENTHS[name], 2.0, 2.0).upper for name in names]
    family = [
        _paired(logs_with_p(p, limit), metric=name)
        for name, limit, p in zip(names, limits, (0.03, 0.016, 0.04), strict=True)
    ]
    judged = judge_estimated(family, TENTHS, None)
    assert [metric.p for metric in judged] == pytest.approx([0.06, 0.048, 0.06])
    assert [metric.verdict for metric in judged] == ["inconclusive", "regressed", "inconclusive"]
    alone = [judge_estimated([paired], TENTHS, None)[0].verdict for paired in family]
    assert alone == [Verdict.REGRESSED] * 3


def test_estimated_metric_that_is_adjusted_would_be_seen_later() -> None:
    """What is claimed to be seen is seen whatever the other metrics say."""
    alone, with_two = (
        judge_estimated([_paired(logs_of(0, 0.05))] * k, TENTHS, None)[0].smallest for k in (1, 3)
    )
    assert alone is not None
    assert with_two is not None
    assert 0.15 < alone < with_two < 0.22


def test_estimated_metric_without_a_margin_is_shown_and_takes_no_part() -> None:
    """It has its ratio, and does not make the others' tests stricter."""
    other = _paired(logs_of(0.5, 0.01), metric="rss-kb/sess")
    shown, judged = judge_estimated(
        [other, _paired(logs_with_p(0.04, TENTH))], {CPU: TENTHS[CPU]}, None
    )
    assert (shown.is_gated, shown.refusal) == (False, "no margin is set for it")
    assert (shown.verdict, shown.margin, shown.limit, shown.p) == (
        Verdict.INCONCLUSIVE,
        *[None] * 3,
    )
    assert shown.ratio is not None
    assert judged.verdict is Verdict.REGRESSED


def test_estimated_margin_below_the_floor_is_refused() -> None:
    """However large the change: eight pairs of an unchanged build would be open too often here."""
    noise_floor = make_noise_floor(cpu=0.12)
    judged = _judge(logs_of(0.5, 0.01), noise_floor=noise_floor)
    assert smallest_visible(CPU, 8, noise_floor) == pytest.approx(0.1245, rel=0.001)
    assert judged.refusal == ("its margin of 10 % is below what 8 pairs can see here, 12.5 %")
    assert (judged.verdict, judged.p, judged.needed) == (Verdict.INCONCLUSIVE, None, None)
    assert judged.ratio is not None


@pytest.mark.parametrize(
    "noise_floor", [make_noise_floor(cpu=0.05), make_noise_floor(latency=0.5), None]
)
def test_estimated_margin_above_the_floor_is_gated(noise_floor: NoiseFloor | None) -> None:
    """So is one whose floor is not known."""
    assert _judge(logs_of(0.5, 0.01), noise_floor=noise_floor).verdict is Verdict.REGRESSED


def test_floor_of_one_pair_is_not_known() -> None:
    """One pair sees nothing, so that there is nothing to refuse by."""
    assert smallest_visible(CPU, 1, make_noise_floor(cpu=0.05)) is None


def test_estimated_verdict_that_ranks_do_not_confirm_says_so() -> None:
    """Two of six pairs are just within a margin that the mean is beyond; one of them alone would not be enough."""
    doubt = "by ranks (Hodges–Lehmann) it is not beyond the margin"
    for second, why in ((0.09, doubt), (0.12, "")):
        logs = [0.09, second, 0.2, 0.2, 0.2, 0.2]
        for sign, verdict in ((1, Verdict.REGRESSED), (-1, Verdict.IMPROVED)):
            judged = _judge([sign * log for log in logs])
            assert (judged.verdict, judged.why) == (verdict, why)


@pytest.mark.parametrize(("sign", "verdict"), [(1, "inconclusive"), (-1, "non-inferior")])
def test_estimated_verdict_that_one_pair_hides_from_the_t_test_says_so(
    sign: int, verdict: str
) -> None:
    """A wild pair widens the t interval, and moves no rank far."""
    judged = _judge([sign * log for log in (0.2, 0.21, 0.19, 0.2, 0.22, 0.18, 0.2, 1.5)])
    assert (judged.verdict, judged.why) == (
        verdict,
        "by ranks (Hodges–Lehmann) it is beyond the margin",
    )


def test_estimated_verdict_is_not_doubted_below_six_pairs() -> None:
    """So few ranks say nothing."""
    assert _judge([0.2, 0.21, 0.19, 0.2, 1.5]).why == ""


@pytest.mark.parametrize(
    ("mean", "half", "standing"),
    [
        (0.20, 0.05, Standing.ABOVE),
        (0.00, 0.05, Standing.WITHIN),
        (0.08, 0.05, Standing.NOT_BELOW),
        (0.00, 0.20, Standing.SPANNING),
    ],
)
def test_standing_has_a_mirror(mean: float, half: float, standing: Standing) -> None:
    """With the sides swapped the same pairs stand where the mirror says."""
    limits = MarginBounds(upper=TENTH, lower=-TENTH)
    logs = logs_of(mean, half)
    is_above = standing is Standing.ABOVE
    p_worse, p_better = (0.01 if is_above else 1.0), 1.0
    assert stand(logs, limits, p_worse, p_better) is standing
    swapped = stand([-log for log in logs], limits, p_better, p_worse)
    assert swapped is standing.mirror
    assert standing.mirror.mirror is standing
