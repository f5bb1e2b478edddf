"""Metrics that are estimated: paired log ratios against a margin, Holm-adjusted over all of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.margins import log_margin, show_margin
from harness.model import Floor, Margin
from harness.stats import (
    deviation,
    geometric_mean,
    hodges_lehmann,
    holm,
    log_ratios,
    p_above,
    p_below,
    pairs_needed,
    ratio_of_pairs,
    smallest_effect,
)
from harness.units import show_number
from harness.verdict.kinds import MetricVerdict, Standing, Verdict

ALPHA = 0.05
ESTIMATED = ("cpu-ms/turn", "latency-infl", "rss-kb/sess")
_LEAST_PAIRS_OF_RANKS = 6


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
    family: Sequence[Paired], margins: Mapping[str, Margin], floor: Floor | None
) -> list[MetricVerdict]:
    """Judge all estimated metrics of a run, in the order in which they are given.

    Args:
        family: The tests that are adjusted for one another; a metric without a margin is shown and not among them.
        margins: By metric.
        floor: A margin below it is refused; None where none is known.
    """
    gated = [paired for paired in family if paired.metric in margins]
    logs_and_margins = [(paired.logs, _margin_of(paired, margins)) for paired in gated]
    worse = holm([p_above(logs, margin) for logs, margin in logs_and_margins])
    better = holm([p_below(logs, -margin) for logs, margin in logs_and_margins])
    adjusted = {
        (paired.metric, paired.level): (p_worse, p_better)
        for paired, p_worse, p_better in zip(gated, worse, better, strict=True)
    }
    return [
        _judge(paired, margins[paired.metric], adjusted[paired.metric, paired.level], floor)
        if paired.metric in margins
        else _shown(paired)
        for paired in family
    ]


def stand(logs: Sequence[float], margin: float, p_worse: float, p_better: float) -> Standing:
    """Say where paired log ratios stand to a margin.

    Args:
        logs: One a pair.
        margin: The logarithm of the largest ratio that is within it, at least zero.
        p_worse: Of the one-sided test beyond the margin, adjusted.
        p_better: Of the one-sided test beyond its mirror, adjusted.
    """
    if p_worse <= ALPHA:
        return Standing.ABOVE
    if p_better <= ALPHA:
        return Standing.BELOW
    is_not_above, is_not_below = p_below(logs, margin) <= ALPHA, p_above(logs, -margin) <= ALPHA
    if is_not_above and is_not_below:
        return Standing.WITHIN
    if is_not_above:
        return Standing.NOT_ABOVE
    return Standing.NOT_BELOW if is_not_below else Standing.SPANNING


def floor_of(metric: str, pairs: int, floor: Floor) -> float | None:
    """Return the smallest share by which a metric can be worse and be seen with so many pairs on this host; None where that is not known."""
    sd = floor.deviations.get(metric)
    effect = smallest_effect(sd, pairs) if sd is not None else None
    return None if effect is None else math.expm1(effect)


def _margin_of(paired: Paired, margins: Mapping[str, Margin]) -> float:
    return log_margin(margins[paired.metric], paired.base)


def _judge(
    paired: Paired, margin: Margin, adjusted: tuple[float, float], floor: Floor | None
) -> MetricVerdict:
    limit = log_margin(margin, paired.base)
    standing = stand(paired.logs, limit, *adjusted)
    decided = standing.verdict is not Verdict.INCONCLUSIVE
    return replace(
        _shown(paired),
        verdict=standing.verdict,
        margin=margin,
        p=min(adjusted),
        needed=None if decided else pairs_needed(paired.logs, limit),
        why=_doubt(paired, standing, limit),
        refusal=_refusal(paired, margin, limit, floor),
    )


def _shown(paired: Paired) -> MetricVerdict:
    sd, n = deviation(paired.logs), len(paired.pairs)
    effect = None if sd is None else smallest_effect(sd, n)
    return MetricVerdict(
        metric=paired.metric,
        level=paired.level,
        verdict=Verdict.INCONCLUSIVE,
        base=show_number(paired.base),
        branch=show_number(paired.branch),
        ratio=ratio_of_pairs(paired.pairs),
        refusal="no margin is set for it",
        smallest=None if effect is None else math.expm1(effect),
    )


def _refusal(paired: Paired, margin: Margin, limit: float, floor: Floor | None) -> str:
    least = floor_of(paired.metric, len(paired.pairs), floor) if floor is not None else None
    if least is None or least <= math.expm1(limit):
        return ""
    return f"its margin of {show_margin(margin)} is below this host's floor of {least * 100:.1f} %"


def _doubt(paired: Paired, standing: Standing, limit: float) -> str:
    """Say where ranks, which one outlier cannot move far, would decide otherwise."""
    if standing not in {Standing.ABOVE, Standing.BELOW}:
        return ""
    if len(paired.pairs) < _LEAST_PAIRS_OF_RANKS:
        return ""
    ranks = hodges_lehmann(paired.pairs, confidence=1 - 2 * ALPHA)
    low, high = math.log(ranks.low or 1.0), math.log(ranks.high or 1.0)
    is_beyond = low > limit if standing is Standing.ABOVE else high < -limit
    return "" if is_beyond else "by ranks (Hodges–Lehmann) it is not beyond the margin"
