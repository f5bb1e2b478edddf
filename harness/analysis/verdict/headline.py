"""The verdict on a change, in one line with its reasons."""

from collections import Counter
from collections.abc import Callable, Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.stats.ratios import Estimate
from harness.analysis.verdict.kinds import BRACKETS, CAPACITY, KNEE, MetricVerdict, Verdict
from harness.model.units import show_count

_MOST_PARTS = 4
_LARGEST_PERCENT = 1000  # a larger change is shown as a factor
_NO_WORSE = "no judged metric is worse by more than its margin"

Show = Callable[[MetricVerdict, str], str]


def write_headline(
    verdict: Verdict, metrics: Sequence[MetricVerdict], comparison: Comparison
) -> str:
    """Return one line without markup: ``regressed: cpu-ms/turn +38 % [+35, +41]``."""
    if verdict is Verdict.INVALID:
        reasons = _invalid(metrics, comparison)
    elif verdict is Verdict.REGRESSED:
        reasons = _join(_changes(Verdict.REGRESSED, metrics))
    elif verdict is Verdict.IMPROVED:
        reasons = f"{_join(_changes(Verdict.IMPROVED, metrics))}; {_NO_WORSE}"
    elif verdict is Verdict.INCONCLUSIVE:
        reasons = _inconclusive(metrics)
    else:
        reasons = _unchanged(metrics)
    return f"{verdict}: {reasons}"


def explain_undecided(metric: MetricVerdict) -> str:
    """Return why a metric is not decided, one phrase."""
    if metric.ratio is None:
        return metric.why
    pairs = metric.ratio.n
    if pairs < 2:
        return "one pair is not enough"
    return (
        f"{pairs} pairs are not enough"
        if metric.needed is None
        else f"needs at least {metric.needed} pairs"
    )


def _inconclusive(metrics: Sequence[MetricVerdict]) -> str:
    undecided = _changes(Verdict.INCONCLUSIVE, metrics, _show_undecided)
    if not undecided:
        refused = next(metric for metric in metrics if metric.metric in BRACKETS)
        why = f"; {refused.why}" if refused.why else ""
        return f"nothing could be gated: {refused.refusal}{why}"
    improved = _changes(Verdict.IMPROVED, metrics)
    better = f"; improved: {_join(improved)}" if improved else ""
    return f"{_join(undecided)}{better}"


def _unchanged(metrics: Sequence[MetricVerdict]) -> str:
    parts = [_NO_WORSE]
    capacity = next(metric for metric in metrics if metric.metric == CAPACITY)
    if capacity.is_gated:
        is_same = capacity.base == capacity.branch
        levels = (
            f"{capacity.base} on both sides" if is_same else f"{capacity.base} → {capacity.branch}"
        )
        parts.append(f"capacity {levels}{f', {capacity.why}' if capacity.why else ''}")
    smallest: dict[str, float] = {}
    for metric in metrics:
        if metric.is_gated and metric.smallest is not None:
            smallest[metric.metric] = max(metric.smallest, smallest.get(metric.metric, 0.0))
    if smallest:
        shares = ", ".join(f"{name} {share * 100:+.1f} %" for name, share in smallest.items())
        parts.append(f"smallest detectable change: {shares}")
    return "; ".join(parts)


def _invalid(metrics: Sequence[MetricVerdict], comparison: Comparison) -> str:
    second = next((cell for cell in comparison.invalid if cell.slot.attempt), None)
    if second is not None:
        place = f"the {second.slot.side} at C={show_count(second.slot.level)}"
        return f"{place} was invalid twice ({second.reason})"
    alarms = [*_changes(Verdict.REGRESSED, metrics), *_changes(Verdict.IMPROVED, metrics)]
    return f"identical builds differ, so this host cannot decide: {_join(alarms)}"


def _join(parts: Sequence[str]) -> str:
    more = [f"and {len(parts) - _MOST_PARTS} more"] if len(parts) > _MOST_PARTS else []
    return "; ".join([*parts[:_MOST_PARTS], *more])


def _changes(
    verdict: Verdict, metrics: Sequence[MetricVerdict], show: Show | None = None
) -> list[str]:
    """Return a phrase for each gated metric with a verdict, over all its levels.

    Capacity replaces knee where both have the verdict.
    """
    show = show or _show_change
    levels = Counter(metric.metric for metric in metrics)
    by_name: dict[str, list[str]] = {}
    for metric in metrics:
        if metric.is_gated and metric.verdict is verdict:
            at = f" at C={show_count(metric.level or 0)}" if levels[metric.metric] > 1 else ""
            by_name.setdefault(metric.metric, []).append(show(metric, at))
    if CAPACITY in by_name:
        by_name.pop(KNEE, None)
    return [f"{name} {', '.join(changes)}" for name, changes in by_name.items()]


def _show_change(metric: MetricVerdict, at: str) -> str:
    """Show a metric's ratio with the interval, its brackets, or its difference."""
    if metric.ratio is not None:
        return f"{_percent(metric.ratio)}{at}"
    change = f"{metric.base} → {metric.branch}{at}"
    if metric.metric in BRACKETS:
        return f"{change}, {metric.why}" if metric.why else change
    return f"{change}, {metric.change}{f' ({metric.why})' if metric.why else ''}"


def _show_undecided(metric: MetricVerdict, at: str) -> str:
    change = f"{metric.base} → {metric.branch}" if metric.ratio is None else _percent(metric.ratio)
    return f"{change}{at} ({explain_undecided(metric)})"


def _percent(ratio: Estimate) -> str:
    """Show a ratio as a change with its interval: ``+38 % [+31, +46]``."""
    ends = () if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)
    changes = [(value - 1) * 100 for value in (ratio.value, *ends)]
    if max(changes) >= _LARGEST_PERCENT:
        first, *others = (f"×{value:,.3g}" for value in (ratio.value, *ends))
    else:
        decimals = 0 if min(abs(change) for change in changes) >= 10 else 1
        first, *others = (f"{round(change, decimals) + 0.0:+.{decimals}f}" for change in changes)
        first = f"{first} %"
    return f"{first} [{', '.join(others)}]" if others else first
