"""Metrics that are estimated: paired log ratios against a margin, Holm-adjusted over all of them."""

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
from harness.analysis.verdict.kinds import MetricVerdict, Standing, Verdict
from harness.model.gate import Margin, NoiseFloor, log_margin, show_margin
from harness.model.units import show_number

ALPHA = 0.05
"""How often a one-sided test may be wrong."""
_LEAST_PAIRS_OF_RANKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginBounds:
    """Between which two log ratios a metric is within its margin: log(branch / base) above `upper` is worse, below `lower` better.

    A margin in the metric's own unit is a larger share of a smaller value, so that each is taken of the side that would be exceeded. With the
    sides swapped the two change places and signs, to the bit.
    """

    upper: float
    lower: float

    @property
    def narrower(self) -> float:
        """The smaller of both as a log ratio, at least zero; it is the same with the sides swapped."""
        return min(self.upper, -self.lower)


def margin_bounds(margin: Margin, base: float, branch: float) -> MarginBounds:
    """Return a margin as log ratios.

    Args:
        margin: Relative, or in the metric's own unit.
        base: What was measured there, above zero.
        branch: The same of the branch.
    """
    return MarginBounds(upper=log_margin(margin, base), lower=-log_margin(margin, branch))


def stand(
    logs: Sequence[float], limits: MarginBounds, p_worse: float, p_better: float
) -> Standing:
    """Say where paired log ratios stand to a margin.

    Args:
        logs: One a pair.
        limits: Of the margin.
        p_worse: Of the one-sided test beyond the upper limit, adjusted.
        p_better: Of the one-sided test beyond the lower limit, adjusted.
    """
    if p_worse <= ALPHA:
        return Standing.ABOVE
    if p_better <= ALPHA:
        return Standing.BELOW
    if len(logs) > 1 and not any(logs):
        return Standing.WITHIN  # equal in every pair: within a margin of zero, too
    is_not_above = p_below(logs, limits.upper) <= ALPHA
    is_not_below = p_above(logs, limits.lower) <= ALPHA
    if is_not_above and is_not_below:
        return Standing.WITHIN
    if is_not_above:
        return Standing.NOT_ABOVE
    return Standing.NOT_BELOW if is_not_below else Standing.SPANNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What was measured of one metric at one level: (base, branch) of each pair, all above zero, at least one."""

    metric: str
    level: int
    pairs: Sequence[tuple[float, float]]

    @property
    def logs(self) -> list[float]:
        """The logarithm of each pair's ratio."""
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
    family: Sequence[Paired], margins: Mapping[str, Margin], noise_floor: NoiseFloor | None
) -> list[MetricVerdict]:
    """Judge all estimated metrics of a run, in the order in which they are given.

    Args:
        family: A metric without a margin, or with one that is refused, is shown and not among the tests that are adjusted for one another.
        margins: By metric.
        floor: A margin below it is refused; None where none is known.
    """
    trials = [_make_trial(paired, margins.get(paired.metric), noise_floor) for paired in family]
    gated = [(trial.paired.logs, trial.limits) for trial in trials if not trial.refusal]
    worse = iter(holm([p_above(logs, limits.upper) for logs, limits in gated]))
    better = iter(holm([p_below(logs, limits.lower) for logs, limits in gated]))
    return [
        _shown(trial, 1)
        if trial.refusal
        else _judge(trial, p_worse=next(worse), p_better=next(better), tests=len(gated))
        for trial in trials
    ]


def smallest_visible(metric: str, pairs: int, noise_floor: NoiseFloor) -> float | None:
    """Return the smallest share by which a metric can be worse and be seen with so many pairs on this host; None where that is not known."""
    sd = noise_floor.deviations.get(metric)
    effect = smallest_effect(sd, pairs) if sd is not None else None
    return None if effect is None else change_of(effect)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """What is to be tested, and why it is not, where there is a reason."""

    paired: Paired
    margin: Margin | None
    limits: MarginBounds
    refusal: str


def _make_trial(paired: Paired, margin: Margin | None, noise_floor: NoiseFloor | None) -> _Trial:
    if margin is None:
        limits, refusal = MarginBounds(upper=0.0, lower=0.0), "no margin is set for it"
    else:
        limits = margin_bounds(margin, paired.base, paired.branch)
        refusal = _refusal(paired, margin, limits, noise_floor)
    return _Trial(paired=paired, margin=margin, limits=limits, refusal=refusal)


def _refusal(
    paired: Paired, margin: Margin, limits: MarginBounds, noise_floor: NoiseFloor | None
) -> str:
    pairs = len(paired.pairs)
    least = (
        smallest_visible(paired.metric, pairs, noise_floor) if noise_floor is not None else None
    )
    if least is None or least <= change_of(limits.narrower):
        return ""
    seen = f"{pairs} pairs can see here, {least * 100:.1f} %"
    return f"its margin of {show_margin(margin)} is below what {seen}"


def _judge(trial: _Trial, *, p_worse: float, p_better: float, tests: int) -> MetricVerdict:
    logs, limits = trial.paired.logs, trial.limits
    standing = stand(logs, limits, p_worse, p_better)
    is_open = standing.verdict is Verdict.INCONCLUSIVE
    return replace(
        _shown(trial, tests),
        verdict=standing.verdict,
        p=min(p_worse, p_better),
        needed=_needed(logs, limits.upper, tests) if is_open else None,
        why=_doubt(logs, limits, standing),
    )


def _shown(trial: _Trial, tests: int) -> MetricVerdict:
    """Show what was measured, without a verdict; Holm's strictest share of `tests` is what could have been seen for sure."""
    paired = trial.paired
    sd, n = deviation(paired.logs), len(paired.pairs)
    effect = None if sd is None else smallest_effect(sd, n, alpha=ALPHA / tests)
    return MetricVerdict(
        metric=paired.metric,
        level=paired.level,
        verdict=Verdict.INCONCLUSIVE,
        base=show_number(paired.base),
        branch=show_number(paired.branch),
        ratio=ratio_of_pairs(paired.pairs),
        margin=trial.margin,
        limit=None if trial.margin is None else trial.limits.upper,
        refusal=trial.refusal,
        smallest=None if effect is None else change_of(trial.limits.upper + effect),
    )


def _needed(logs: Sequence[float], limit: float, tests: int) -> int | None:
    """Return how many pairs would decide: more than there are, since each test is held to the level that it has just missed.

    Only what is beyond the margin is adjusted for the other tests.
    """
    is_beyond = math.fsum(logs) / len(logs) > limit
    return pairs_needed(logs, limit, alpha=ALPHA / tests if is_beyond else ALPHA)


def _doubt(logs: Sequence[float], limits: MarginBounds, standing: Standing) -> str:
    """Say where ranks, which one outlier cannot move far, and the t test say different things."""
    ranks = pseudomedian(logs, confidence=1 - 2 * ALPHA)
    if len(logs) < _LEAST_PAIRS_OF_RANKS or ranks.low is None or ranks.high is None:
        return ""
    above, below = ranks.low > limits.upper, ranks.high < limits.lower
    if standing in {Standing.ABOVE, Standing.BELOW}:
        is_confirmed = above if standing is Standing.ABOVE else below
        return "" if is_confirmed else "by ranks (Hodges–Lehmann) it is not beyond the margin"
    is_hidden = (above and p_above(logs, limits.upper) > ALPHA) or (
        below and p_below(logs, limits.lower) > ALPHA
    )
    return "by ranks (Hodges–Lehmann) it is beyond the margin" if is_hidden else ""
