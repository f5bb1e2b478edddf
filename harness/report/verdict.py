"""The verdict as people read it: one line, and a row for each metric."""

import re

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.exact import judge_counted
from harness.analysis.verdict.headline import explain_undecided
from harness.analysis.verdict.kinds import BRACKETS, MetricVerdict, OverallVerdict, Verdict
from harness.model.gate import DEFAULT_MARGINS, show_margin
from harness.model.runs import RunInfo
from harness.model.units import show_count
from harness.report.markdown import escape, table
from harness.report.tables import show_interval

_NONE = "–"
_INTERVAL = re.compile(r"\\\[([-+×.,0-9 %]+)\\\]")  # of which no link can be made
_COLUMNS = (
    "metric",
    "C",
    "pairs",
    "base",
    "branch",
    "change [95 % interval]",
    "margin",
    "would be seen",
    "verdict",
)
_WORDS = ("metric", "interval]", "verdict")


def headline(verdict: OverallVerdict, comparison: Comparison) -> str:
    """Return the line that comes first; a run that is no gate says that it is a screen, and one that goes on that it does."""
    text = _INTERVAL.sub(r"[\1]", escape(verdict.headline))
    so_far = "" if comparison.complete else "Not complete, so far "
    if comparison.run.kind != "gate":
        return f"Screen, no gate — {so_far.lower()}{text}"
    return f"**{so_far}{text}**"


def verdict_table(verdict: OverallVerdict) -> str:
    """Render a row a metric: outcome first, then what was counted, then what was measured."""
    rows = [_row(metric) for metric in verdict.metrics]
    return table(_COLUMNS, rows, words=_WORDS)


def verdict_notes(verdict: OverallVerdict, comparison: Comparison) -> str:
    """Return what is to be known to read the table: where pairs stood, what was refused."""
    run = comparison.run
    lines = [_NOTE.format(objective=f"{run.plan.objective:g}")]
    counted = run.costs
    if counted is not None:
        lines.append(f"Counted {escape(counted.confinement)}; {escape(counted.python)}.")
        lines += [f"Not counted: {escape(text)}." for text in counted.missing]
    lines += [f"Not gated: {escape(text)}." for text in verdict.refused]
    if run.gate is not None and run.gate.noise_floor is None:
        lines.append(
            "The floor of this host is not known, so that no margin was held against it: `invoke selftest` measures it."
        )
    return "\n".join(f"- {line}" for line in lines)


_NOTE = (
    "Knee is the largest C that passes, capacity the largest that passes with latency inflation within {objective}×; both are brackets, and "
    "differ when these are disjoint and two of three cells confirm it. Of all else less is better.\n"
    "- A metric has regressed when it is worse by more than its margin, by a one-sided test at 5 %, Holm-adjusted; the intervals are not adjusted. "
    "“would be seen” is the smallest change for the worse that would be called so with 80 % power; what has none is exact."
)


def counted_lines(run: RunInfo) -> list[str]:
    """Say in a line each what was counted, for somebody who follows the run."""
    if run.costs is None:
        return []
    margins = DEFAULT_MARGINS if run.gate is None else run.gate.margins
    lines = []
    for metric in (judge_counted(cost, margins) for cost in run.costs.costs):
        said = metric.verdict if metric.is_gated else f"not gated: {metric.refusal}"
        change = f", {metric.change}" if metric.change else ""
        lines.append(f"{metric.metric} {metric.base} → {metric.branch}{change}: {said}")
    return [*lines, *run.costs.missing]


def _row(metric: MetricVerdict) -> list[str]:
    return [
        escape(metric.metric),
        _NONE if metric.level is None else show_count(metric.level),
        _NONE if metric.ratio is None else show_count(metric.ratio.n),
        escape(metric.base),
        escape(metric.branch),
        _change(metric),
        _margin(metric),
        _NONE if metric.smallest is None else f"{metric.smallest * 100:+.1f} %",
        _verdict(metric),
    ]


def _change(metric: MetricVerdict) -> str:
    if metric.ratio is not None:
        return show_interval(metric.ratio)
    return escape(metric.change) or _NONE


def _margin(metric: MetricVerdict) -> str:
    if metric.metric in BRACKETS:
        return "disjoint"
    return _NONE if metric.margin is None else show_margin(metric.margin)


def _verdict(metric: MetricVerdict) -> str:
    if not metric.is_gated:
        return f"not gated: {escape(metric.refusal)}"
    word = str(metric.verdict)
    shown = f"**{word}**" if metric.verdict is Verdict.REGRESSED else word
    more = [metric.why] if metric.why else []
    if metric.verdict is Verdict.INCONCLUSIVE and metric.ratio is not None:
        more.append(explain_undecided(metric))
    return f"{shown}: {escape('; '.join(more))}" if more else shown
