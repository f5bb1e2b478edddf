"""The verdict in one line that a reviewer can act on."""

from collections.abc import Sequence

from harness.compare import Comparison
from harness.units import show_change, show_count, show_plural
from harness.verdict.kinds import MetricVerdict, Verdict

_BRACKETS = ("capacity", "knee")
_MOST = 4  # more than so many parts are no line


def write_headline(
    verdict: Verdict, metrics: Sequence[MetricVerdict], comparison: Comparison
) -> str:
    """Return one line, without markup: ``regressed: capacity 4,000–8,000 → 1,000–2,000, bound by threads instead of CPU; …``.

    Args:
        verdict: Of the change.
        metrics: What it rests on.
        comparison: Of which run.
    """
    parts = _PARTS[verdict](metrics, comparison)
    more = f"; and {len(parts) - _MOST} more" if len(parts) > _MOST else ""
    return f"{verdict}: {'; '.join(parts[:_MOST])}{more}"


def name_change(metric: MetricVerdict) -> str:
    """Say what happened to a metric: its brackets, its ratio with the interval, or its difference."""
    name = (
        metric.metric
        if metric.level is None
        else f"{metric.metric} at C={show_count(metric.level)}"
    )
    if metric.metric in _BRACKETS:
        why = f", {metric.why}" if metric.why else ""
        return f"{name} {metric.base} → {metric.branch}{why}"
    if metric.ratio is None:
        by = f" ({metric.why})" if metric.why else ""
        return f"{name} {metric.base} → {metric.branch}, {metric.change}{by}"
    change = show_change(metric.ratio.value)
    if metric.ratio.low is None or metric.ratio.high is None:
        return f"{name} {change} (one pair)"
    return f"{name} {change} [{show_change(metric.ratio.low)}, {show_change(metric.ratio.high)}]"


def _of(verdict: Verdict, metrics: Sequence[MetricVerdict]) -> list[str]:
    """Name the gated metrics with a verdict; of knee and capacity the one that says more."""
    found = [metric for metric in metrics if metric.is_gated and metric.verdict is verdict]
    names = {metric.metric for metric in found}
    if set(_BRACKETS) <= names:
        found = [metric for metric in found if metric.metric != "knee"]
    return [name_change(metric) for metric in found]


def _regressed(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> list[str]:
    return _of(Verdict.REGRESSED, metrics)


def _improved(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> list[str]:
    return [*_of(Verdict.IMPROVED, metrics), "nothing that is gated is worse"]


def _inconclusive(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> list[str]:
    open_ = [m for m in metrics if m.is_gated and m.verdict is Verdict.INCONCLUSIVE]
    if not open_:
        return ["nothing could be gated"]
    return [*_of(Verdict.IMPROVED, metrics), *(_undecided(metric) for metric in open_)]


def _undecided(metric: MetricVerdict) -> str:
    change = name_change(metric)
    if metric.needed is None or metric.ratio is None:
        return f"{change}: not decided"
    return f"{change}: not decided with {show_plural(metric.ratio.n, 'pair')}, would take {metric.needed}"


def _unchanged(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> list[str]:
    parts = ["nothing that is gated is worse by more than its margin"]
    capacity = next((m for m in metrics if m.metric == "capacity"), None)
    if capacity is not None and capacity.base == capacity.branch:
        parts.append(f"capacity {capacity.base} on both sides")
    seen = [
        f"{metric.metric} {metric.smallest * 100:.1f} %"
        for metric in metrics
        if metric.is_gated and metric.smallest is not None
    ]
    if seen:
        parts.append(f"would have seen {', '.join(dict.fromkeys(seen))}")
    return parts


def _invalid(metrics: Sequence[MetricVerdict], comparison: Comparison) -> list[str]:
    twice = [cell for cell in comparison.invalid if cell.slot.attempt]
    if twice:
        cell = twice[0]
        where = f"the {cell.slot.side} at C={show_count(cell.slot.level)}"
        return [f"{where} was invalid twice ({cell.reason})"]
    alarms = [*_of(Verdict.REGRESSED, metrics), *_of(Verdict.IMPROVED, metrics)]
    return [f"identical builds differ, so this host cannot tell: {'; '.join(alarms)}"]


_PARTS = {
    Verdict.REGRESSED: _regressed,
    Verdict.IMPROVED: _improved,
    Verdict.EQUIVALENT: _unchanged,
    Verdict.NON_INFERIOR: _unchanged,
    Verdict.INCONCLUSIVE: _inconclusive,
    Verdict.INVALID: _invalid,
}
