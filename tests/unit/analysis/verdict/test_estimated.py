"""Verdicts on estimated metrics."""

import math
from collections.abc import Sequence

import pytest

from harness.analysis.verdict.estimated import (
    MarginBounds,
    PairedSample,
    judge_estimated,
    judge_logs,
    margin_bounds,
    smallest_detectable,
)
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.model.gate import Margin, NoiseFloor
from tests.builders.gated import TENTHS, logs_of, logs_with_p, make_noise_floor

CPU = "cpu-ms/turn"
TENTH = math.log(1.1)


def _paired(logs: Sequence[float], *, metric: str = CPU, base: float = 2.0) -> PairedSample:
    pairs = [(base, base * math.exp(log)) for log in logs]
    return PairedSample(metric=metric, level=500, pairs=pairs)


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
def test_estimated_verdict_follows_from_the_90_percent_interval(
    mean: float, half: float, verdict: Verdict
) -> None:
    """It is beyond a margin, within both, below the upper one, or none of these."""
    judged = _judge(logs_of(mean, half))
    assert (judged.verdict, judged.is_gated) == (verdict, True)


def test_estimated_verdict_shows_its_figures() -> None:
    """It has means, a 95 % interval, the margin, p and the smallest change."""
    judged = _judge(logs_of(0.20, 0.05))
    assert (judged.base, judged.branch, judged.level) == ("2", "2.44", 500)
    assert judged.ratio is not None
    assert judged.ratio.value == pytest.approx(math.exp(0.20))
    assert judged.ratio.low == pytest.approx(math.exp(0.20 - 0.05 * 2.3646 / 1.8946), rel=1e-4)
    assert judged.limit == pytest.approx(TENTH)
    assert judged.p == pytest.approx(0.0027, rel=0.05)
    assert judged.needed is None
    effect = 0.05 / 1.8946 * (1.8946 + 0.896)  # sd/√n times the noncentral t at 80 %
    assert judged.smallest == pytest.approx(1.1 * math.exp(effect) - 1, rel=0.02)


def test_open_estimated_verdict_names_the_pairs_that_would_decide() -> None:
    """A distance of half the half-interval takes seven times as many pairs."""
    judged = _judge(logs_of(0.07, 0.05))
    assert (judged.verdict, judged.needed) == (Verdict.INCONCLUSIVE, 56)


def test_estimated_verdict_on_the_margin_needs_no_known_number_of_pairs() -> None:
    """No number of pairs decides a change of exactly the margin."""
    judged = _judge(logs_of(TENTH, 0.05))
    assert (judged.verdict, judged.needed) == (Verdict.INCONCLUSIVE, None)


def test_estimated_verdict_of_one_pair_is_inconclusive() -> None:
    """One pair has a ratio, but no interval and no number of pairs."""
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
    """Rounded figures may be equal; the smallest change is then the margin."""
    judged = _judge([log] * 3)
    assert judged.verdict is verdict
    assert judged.smallest == pytest.approx(0.1)


@pytest.mark.parametrize(("n", "verdict"), [(1, "inconclusive"), (2, "equivalent")])
def test_estimated_verdict_of_equal_pairs_is_within_a_margin_of_zero(n: int, verdict: str) -> None:
    """Equal pairs are no worse than the base; one pair may be chance."""
    assert _judge([0.0] * n, margin=Margin(amount=0, is_relative=False)).verdict == verdict


def test_absolute_margin_is_a_share_of_the_better_side() -> None:
    """0.5 ms is a quarter of 2 ms, and a third of 1.5 ms."""
    margin = Margin(amount=0.5, is_relative=False)
    bounds = margin_bounds(margin, 2.0, 1.5)
    assert bounds.upper == pytest.approx(math.log(2.5 / 2.0))
    assert bounds.lower == pytest.approx(-math.log(2.0 / 1.5))
    swapped = margin_bounds(margin, 1.5, 2.0)
    assert (swapped.upper, swapped.lower) == (-bounds.lower, -bounds.upper)
    assert bounds.narrower == swapped.narrower == bounds.upper
    assert _judge(logs_of(math.log(2.6 / 2), 0.01), margin=margin).verdict is Verdict.REGRESSED
    assert _judge(logs_of(math.log(2.4 / 2), 0.01), margin=margin).verdict is Verdict.EQUIVALENT


def test_estimated_verdicts_are_adjusted_for_one_another() -> None:
    """Of three metrics that are significant alone, one is significant after Holm."""
    names = tuple(name for name in TENTHS if name in {CPU, "latency-infl", "rss-kb/sess"})
    limits = [margin_bounds(TENTHS[name], 2.0, 2.0).upper for name in names]
    samples = [
        _paired(logs_with_p(p, limit), metric=name)
        for name, limit, p in zip(names, limits, (0.03, 0.016, 0.04), strict=True)
    ]
    judged = judge_estimated(samples, TENTHS, None)
    assert [metric.p for metric in judged] == pytest.approx([0.06, 0.048, 0.06])
    assert [metric.verdict for metric in judged] == ["inconclusive", "regressed", "inconclusive"]
    alone = [judge_estimated([sample], TENTHS, None)[0].verdict for sample in samples]
    assert alone == [Verdict.REGRESSED] * 3


def test_smallest_detectable_change_includes_the_adjustment() -> None:
    """It is detected whatever the other metrics show."""
    alone, with_two = (
        judge_estimated([_paired(logs_of(0, 0.05))] * k, TENTHS, None)[0].smallest for k in (1, 3)
    )
    assert alone is not None
    assert with_two is not None
    assert 0.15 < alone < with_two < 0.22


def test_estimated_metric_without_a_margin_is_shown_only() -> None:
    """It does not make the tests of other metrics stricter."""
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


def test_margin_below_the_noise_floor_is_refused() -> None:
    """Eight pairs of an unchanged build would be open too often on this host."""
    noise_floor = make_noise_floor(cpu=0.12)
    judged = _judge(logs_of(0.5, 0.01), noise_floor=noise_floor)
    assert smallest_detectable(CPU, 8, noise_floor) == pytest.approx(0.1245, rel=0.001)
    assert judged.refusal == ("its margin of 10 % is below what 8 pairs resolve here, 12.5 %")
    assert (judged.verdict, judged.p, judged.needed) == (Verdict.INCONCLUSIVE, None, None)
    assert judged.ratio is not None


@pytest.mark.parametrize(
    "noise_floor", [make_noise_floor(cpu=0.05), make_noise_floor(latency=0.5), None]
)
def test_margin_above_the_noise_floor_is_gated(noise_floor: NoiseFloor | None) -> None:
    """So is a margin without a known noise floor."""
    assert _judge(logs_of(0.5, 0.01), noise_floor=noise_floor).verdict is Verdict.REGRESSED


def test_smallest_detectable_change_of_one_pair_is_unknown() -> None:
    """One pair detects nothing."""
    assert smallest_detectable(CPU, 1, make_noise_floor(cpu=0.05)) is None


def test_estimated_verdict_without_confirmation_by_ranks_has_a_doubt() -> None:
    """Two of six pairs within the margin raise the doubt, one does not."""
    doubt = "the ranks (Hodges–Lehmann) do not confirm it"
    for second, why in ((0.09, doubt), (0.12, "")):
        logs = [0.09, second, 0.2, 0.2, 0.2, 0.2]
        for sign, verdict in ((1, Verdict.REGRESSED), (-1, Verdict.IMPROVED)):
            judged = _judge([sign * log for log in logs])
            assert (judged.verdict, judged.why) == (verdict, why)


@pytest.mark.parametrize(("sign", "verdict"), [(1, "inconclusive"), (-1, "non-inferior")])
def test_estimated_verdict_hidden_by_an_outlier_has_a_doubt(sign: int, verdict: str) -> None:
    """An outlier widens the t interval, but moves no rank far."""
    judged = _judge([sign * log for log in (0.2, 0.21, 0.19, 0.2, 0.22, 0.18, 0.2, 1.5)])
    assert (judged.verdict, judged.why) == (
        verdict,
        "by ranks (Hodges–Lehmann) it is beyond the margin",
    )


def test_estimated_verdict_is_not_doubted_below_six_pairs() -> None:
    """Too few ranks are no evidence."""
    assert _judge([0.2, 0.21, 0.19, 0.2, 1.5]).why == ""


@pytest.mark.parametrize(
    ("mean", "half", "verdict", "swapped"),
    [
        (0.20, 0.05, Verdict.REGRESSED, Verdict.IMPROVED),
        (0.00, 0.05, Verdict.EQUIVALENT, Verdict.EQUIVALENT),
        (0.08, 0.05, Verdict.INCONCLUSIVE, Verdict.NON_INFERIOR),
        (0.00, 0.20, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
    ],
)
def test_verdict_with_the_sides_swapped(
    mean: float, half: float, verdict: Verdict, swapped: Verdict
) -> None:
    """A branch that may be worse is, swapped, one that is not inferior."""
    bounds = MarginBounds(upper=TENTH, lower=-TENTH)
    logs = logs_of(mean, half)
    p_worse, p_better = (0.01 if verdict is Verdict.REGRESSED else 1.0), 1.0
    assert judge_logs(logs, bounds, p_worse, p_better) is verdict
    assert judge_logs([-log for log in logs], bounds, p_better, p_worse) is swapped
