"""Verdicts on estimated metrics: paired log ratios against a margin."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.analysis.stats.ratios import (
    change_of,
    deviation,
    geometric_mean,
    log_ratios,
    pseudomedian,
    ratio_of_pairs,
)
from harness.analysis.stats.tests import holm, p_above, p_below, pairs_needed, smallest_effect
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.model.gate import Margin, NoiseFloor, log_margin, show_margin
from harness.model.units import show_number

ALPHA = 0.05
"""The error rate of a one-sided test."""

NO_MARGIN = "no margin is set for it"
_LEAST_PAIRS_OF_RANKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginBounds:
    """The two log ratios (branch / base) between which a metric is within its margin.

    A margin in the metric's own unit is a share of the better side: of the base for `upper`, of
    the branch for `lower`. Swapping the sides swaps and negates the two bounds exactly.
    """

    upper: float
    lower: float

    @property
    def narrower(self) -> float:
        """The smaller bound as a log ratio, at least zero."""
        return min(self.upper, -self.lower)


def margin_bounds(margin: Margin, base: float, branch: float) -> MarginBounds:
    """Return a margin as log ratios, for a metric's values above zero on both sides."""
    return MarginBounds(upper=log_margin(margin, base), lower=-log_margin(margin, branch))


def judge_logs(
    logs: Sequence[float], bounds: MarginBounds, p_worse: float, p_better: float
) -> Verdict:
    """Return the verdict on the paired log ratios of a metric; less is better.

    Args:
        logs: One a pair.
        bounds: Of the margin.
        p_worse: Of the one-sided test beyond the upper bound, adjusted.
        p_better: Of the one-sided test beyond the lower bound, adjusted.
    """
    if p_worse <= ALPHA:
        return Verdict.REGRESSED
    if p_better <= ALPHA:
        return Verdict.IMPROVED
    if len(logs) > 1 and not any(logs):
        return Verdict.EQUIVALENT  # equal pairs are within a margin of zero, too
    if p_below(logs, bounds.upper) > ALPHA:
        return Verdict.INCONCLUSIVE
    is_not_better = p_above(logs, bounds.lower) <= ALPHA
    return Verdict.EQUIVALENT if is_not_better else Verdict.NON_INFERIOR


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSample:
    """The values of one metric at one level: at least one pair, all above zero."""

    metric: str
    level: int
    pairs: Sequence[tuple[float, float]]

    @property
    def logs(self) -> list[float]:
        """The log ratio of each pair."""
        return log_ratios(self.pairs)

    @property
    def base(self) -> float:
        """The geometric mean of the base."""
        return geometric_mean([base for base, _ in self.pairs])

    @property
    def branch(self) -> float:
        """The geometric mean of the branch."""
        return geometric_mean([branch for _, branch in self.pairs])


def judge_estimated(
    samples: Sequence[PairedSample],
    margins: Mapping[str, Margin],
    noise_floor: NoiseFloor | None,
) -> list[MetricVerdict]:
    """Return the verdicts on all samples of a run, with Holm's adjustment.

    Args:
        samples: Those without a margin, or with a refused one, are shown but not tested.
        margins: By metric.
        noise_floor: A margin below it is refused; None if it is unknown.
    """
    trials = [_make_trial(sample, margins.get(sample.metric), noise_floor) for sample in samples]
    gated = [(trial.sample.logs, trial.bounds) for trial in trials if not trial.refusal]
    worse = iter(holm([p_above(logs, bounds.upper) for logs, bounds in gated]))
    better = iter(holm([p_below(logs, bounds.lower) for logs, bounds in gated]))
    return [
        _describe(trial, 1)
        if trial.refusal
        else _judge(trial, p_worse=next(worse), p_better=next(better), tests=len(gated))
        for trial in trials
    ]


def smallest_detectable(metric: str, pairs: int, noise_floor: NoiseFloor) -> float | None:
    """Return the smallest relative change that the pairs detect; None if unknown."""
    sd = noise_floor.deviations.get(metric)
    effect = smallest_effect(sd, pairs) if sd is not None else None
    return None if effect is None else change_of(effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A sample with its margin, or with the reason why it is not tested."""

    sample: PairedSample
    margin: Margin | None
    bounds: MarginBounds
    refusal: str


def _make_trial(
    sample: PairedSample, margin: Margin | None, noise_floor: NoiseFloor | None
) -> _Trial:
    if margin is None:
        bounds, refusal = MarginBounds(upper=0.0, lower=0.0), NO_MARGIN
    else:
        bounds = margin_bounds(margin, sample.base, sample.branch)
        refusal = _refusal(sample, margin, bounds, noise_floor)
    return _Trial(sample=sample, margin=margin, bounds=bounds, refusal=refusal)


def _refusal(
    sample: PairedSample, margin: Margin, bounds: MarginBounds, noise_floor: NoiseFloor | None
) -> str:
    if noise_floor is None:
        return ""
    pairs = len(sample.pairs)
    smallest = smallest_detectable(sample.metric, pairs, noise_floor)
    if smallest is None or smallest <= change_of(bounds.narrower):
        return ""
    resolved = f"{pairs} pairs resolve here, {smallest * 100:.1f} %"
    return f"its margin of {show_margin(margin)} is below what {resolved}"


def _judge(trial: _Trial, *, p_worse: float, p_better: float, tests: int) -> MetricVerdict:
    logs, bounds = trial.sample.logs, trial.bounds
    verdict = judge_logs(logs, bounds, p_worse, p_better)
    is_open = verdict is Verdict.INCONCLUSIVE
    return replace(
        _describe(trial, tests),
        verdict=verdict,
        p=min(p_worse, p_better),
        needed=_needed(logs, bounds.upper, tests) if is_open else None,
        why=_rank_doubt(logs, bounds, verdict),
    )


def _describe(trial: _Trial, tests: int) -> MetricVerdict:
    """Return the measured values without a verdict.

    The smallest detectable effect is that of Holm's strictest step over `tests` tests.
    """
    sample = trial.sample
    sd, n = deviation(sample.logs), len(sample.pairs)
    effect = None if sd is None else smallest_effect(sd, n, alpha=ALPHA / tests)
    return MetricVerdict(
        metric=sample.metric,
        level=sample.level,
        verdict=Verdict.INCONCLUSIVE,
        base=show_number(sample.base),
        branch=show_number(sample.branch),
        ratio=ratio_of_pairs(sample.pairs),
        margin=trial.margin,
        limit=None if trial.margin is None else trial.bounds.upper,
        refusal=trial.refusal,
        smallest=None if effect is None else change_of(trial.bounds.upper + effect),
    )


def _needed(logs: Sequence[float], limit: float, tests: int) -> int | None:
    """Return how many pairs would decide, at the level that they have missed now.

    Only the test beyond the margin is adjusted for the other tests.
    """
    is_beyond = math.fsum(logs) / len(logs) > limit
    return pairs_needed(logs, limit, alpha=ALPHA / tests if is_beyond else ALPHA)


def _rank_doubt(logs: Sequence[float], bounds: MarginBounds, verdict: Verdict) -> str:
    """Return a phrase where the t test and the ranks, robust to one outlier, differ."""
    ranks = pseudomedian(logs, confidence=1 - 2 * ALPHA)
    if len(logs) < _LEAST_PAIRS_OF_RANKS or ranks.low is None or ranks.high is None:
        return ""
    above, below = ranks.low > bounds.upper, ranks.high < bounds.lower
    if verdict in {Verdict.REGRESSED, Verdict.IMPROVED}:
        is_confirmed = above if verdict is Verdict.REGRESSED else below
        return "" if is_confirmed else "the ranks (Hodges–Lehmann) do not confirm it"
    is_hidden = (above and p_above(logs, bounds.upper) > ALPHA) or (
        below and p_below(logs, bounds.lower) > ALPHA
    )
    return "by ranks (Hodges–Lehmann) it is beyond the margin" if is_hidden else ""
