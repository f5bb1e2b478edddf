"""The verdict in one line that a reviewer can act on."""

from collections import Counter
from collections.abc import Callable, Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.stats.ratios import Estimate
from harness.analysis.verdict.kinds import BRACKETS, CAPACITY, KNEE, MetricVerdict, Verdict
from harness.model.units import show_count

_MOST = 4  # more than so many parts are no line
_LARGEST = 1000  # per cent; beyond that a factor is read more easily
_NO_WORSE = "nothing that was judged is worse by more than its margin"

Tell = Callable[[MetricVerdict, str], str]


def write_headline(
    verdict: Verdict, metrics: Sequence[MetricVerdict], comparison: Comparison
) -> str:
    """Return one line, without markup: ``regressed: capacity 4,000–8,000 → 1,000–2,000, bound by threads instead of CPU; …``.

    Args:
        verdict: Of the change.
        metrics: What it rests on.
        comparison: Of which run.
    """
    return f"{verdict}: {_PARTS[verdict](metrics, comparison)}"


def lacking(metric: MetricVerdict) -> str:
    """Say what a metric that is not decided lacks, one phrase."""
    if metric.ratio is None:
        return metric.why
    there = metric.ratio.n
    if there < 2:
        return "one pair decides nothing"
    would = "" if metric.needed is None else f", {metric.needed} would"
    return f"{there} pairs do not decide{would}"


def _regressed(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> str:
    return _listed(_of(Verdict.REGRESSED, metrics))


def _improved(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> str:
    return f"{_listed(_of(Verdict.IMPROVED, metrics))}; {_NO_WORSE}"


def _inconclusive(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> str:
    undecided = _of(Verdict.INCONCLUSIVE, metrics, _undecided)
    if not undecided:
        refused = next(metric for metric in metrics if metric.metric in BRACKETS)
        why = f"; {refused.why}" if refused.why else ""
        return f"nothing could be gated: {refused.refusal}{why}"
    improved = _of(Verdict.IMPROVED, metrics)
    better = f"; improved: {_listed(improved)}" if improved else ""
    return f"{_listed(undecided)}{better}"


def _unchanged(metrics: Sequence[MetricVerdict], _comparison: Comparison) -> str:
    parts = [_NO_WORSE]
    capacity = next(metric for metric in metrics if metric.metric == CAPACITY)
    if capacity.is_gated:
        is_same = capacity.base == capacity.branch
        shown = (
            f"{capacity.base} on both sides" if is_same else f"{capacity.base} → {capacity.branch}"
        )
        parts.append(f"capacity {shown}{f', {capacity.why}' if capacity.why else ''}")
    seen: dict[str, float] = {}
    for metric in metrics:
        if metric.is_gated and metric.smallest is not None:
            seen[metric.metric] = max(metric.smallest, seen.get(metric.metric, 0.0))
    if seen:
        shown = ", ".join(f"{name} {share * 100:+.1f} %" for name, share in seen.items())
        parts.append(f"would have seen {shown}")
    return "; ".join(parts)


def _invalid(metrics: Sequence[MetricVerdict], comparison: Comparison) -> str:
    twice = next((cell for cell in comparison.invalid if cell.slot.attempt), None)
    if twice is not None:
        where = f"the {twice.slot.side} at C={show_count(twice.slot.level)}"
        return f"{where} was invalid twice ({twice.reason})"
    alarms = [*_of(Verdict.REGRESSED, metrics), *_of(Verdict.IMPROVED, metrics)]
    return f"identical builds differ, so that this host cannot tell: {_listed(alarms)}"


def _listed(parts: Sequence[str]) -> str:
    more = [f"and {len(parts) - _MOST} more"] if len(parts) > _MOST else []
    return "; ".join([*parts[:_MOST], *more])


def _of(verdict: Verdict, metrics: Sequence[MetricVerdict], tell: Tell | None = None) -> list[str]:
    """Name the gated metrics with a verdict, each with all its levels; of knee and capacity the one that says more."""
    tell = tell or _changed
    levels = Counter(metric.metric for metric in metrics)
    by_name: dict[str, list[str]] = {}
    for metric in metrics:
        if metric.is_gated and metric.verdict is verdict:
            at = f" at C={show_count(metric.level or 0)}" if levels[metric.metric] > 1 else ""
            by_name.setdefault(metric.metric, []).append(tell(metric, at))
    if CAPACITY in by_name:
        by_name.pop(KNEE, None)
    return [f"{name} {', '.join(told)}" for name, told in by_name.items()]


def _changed(metric: MetricVerdict, at: str) -> str:
    """Say what happened to a metric: its ratio with the interval, its brackets, or its difference."""
    if metric.ratio is not None:
        return f"{_percent(metric.ratio)}{at}"
    change = f"{metric.base} → {metric.branch}{at}"
    if metric.metric in BRACKETS:
        return f"{change}, {metric.why}" if metric.why else change
    return f"{change}, {metric.change}{f' ({metric.why})' if metric.why else ''}"


def _undecided(metric: MetricVerdict, at: str) -> str:
    change = f"{metric.base} → {metric.branch}" if metric.ratio is None else _percent(metric.ratio)
    return f"{change}{at} ({lacking(metric)})"


def _percent(ratio: Estimate) -> str:
    """Show a ratio as a change with its interval, as short as a line needs it: ``+38 % [+31, +46]``."""
    ends = () if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)
    changes = [(value - 1) * 100 for value in (ratio.value, *ends)]
    if max(changes) >= _LARGEST:
        first, *others = (f"×{value:,.3g}" for value in (ratio.value, *ends))
    else:
        decimals = 0 if min(abs(change) for change in changes) >= 10 else 1
        first, *others = (f"{round(change, decimals) + 0.0:+.{decimals}f}" for change in changes)
        first = f"{first} %"
    return f"{first} [{', '.join(others)}]" if others else first


_PARTS = {
    Verdict.REGRESSED: _regressed,
    Verdict.IMPROVED: _improved,
    Verdict.EQUIVALENT: _unchanged,
    Verdict.NON_INFERIOR: _unchanged,
    Verdict.INCONCLUSIVE: _inconclusive,
    Verdict.INVALID: _invalid,
}
