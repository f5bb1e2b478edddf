"""The verdict of a comparison: its headline, its table, and the notes below."""

import re

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.exact import judge_counted
from harness.analysis.verdict.headline import explain_undecided
from harness.analysis.verdict.kinds import BRACKETS, MetricVerdict, OverallVerdict, Verdict
from harness.model.gate import DEFAULT_MARGINS, show_margin
from harness.model.runs import RunInfo
from harness.model.units import show_count
from harness.report.markdown import bullets, escape, table
from harness.report.tables import show_interval

_NONE = "–"
_INTERVAL = re.compile(r"\\\[([-+×.,0-9 %]+)\\\]")  # cannot become a link
_COLUMNS = (
    *("metric", "C", "pairs", "base", "branch", "change [95 % interval]"),
    *("margin", "detectable", "verdict"),
)
_WORDS = ("metric", "interval]", "verdict")
_BRACKET_NOTE = (
    "Knee is the largest C that passes, capacity the largest that passes with latency inflation within {objective}×. Both are brackets: "
    "they differ when they are disjoint and two of three cells confirm it. For all other metrics, less is better."
)
_MARGIN_NOTE = (
    "A metric has regressed when it is worse by more than its margin, by a one-sided test at 5 %, Holm-adjusted; the intervals are not adjusted. "
    "“detectable” is the smallest change for the worse that is called a regression with 80 % power; exact metrics have none."
)
_NO_FLOOR = "The noise floor of this host is unknown, so no margin was checked against it: measure it with `invoke selftest`."


def headline(verdict: OverallVerdict, comparison: Comparison) -> str:
    """Return the first line of a document; it marks exploratory and incomplete runs."""
    text = _INTERVAL.sub(r"[\1]", escape(verdict.headline))
    so_far = "" if comparison.complete else "Incomplete, so far "
    if comparison.run.kind != "gate":
        return f"Exploratory (not a gate) — {so_far.lower()}{text}"
    return f"**{so_far}{text}**"


def verdict_table(verdict: OverallVerdict) -> str:
    """Return a row per metric: outcomes first, then counted, then measured metrics."""
    return table(_COLUMNS, [_row(metric) for metric in verdict.metrics], words=_WORDS)


def verdict_notes(verdict: OverallVerdict, comparison: Comparison) -> str:
    """Return the notes below the table: definitions, and metrics that are not gated."""
    run = comparison.run
    lines = [_BRACKET_NOTE.format(objective=f"{run.plan.objective:g}"), _MARGIN_NOTE]
    if run.costs is not None:
        lines.append(f"Counted {escape(run.costs.confinement)}; {escape(run.costs.python)}.")
        lines += [f"Not counted: {escape(text)}." for text in run.costs.missing]
    lines += [f"Not gated: {escape(text)}." for text in verdict.refused]
    if run.gate is not None and run.gate.noise_floor is None:
        lines.append(_NO_FLOOR)
    return bullets(lines)


def counted_lines(run: RunInfo) -> list[str]:
    """Return a line per counted cost, for the progress of a run."""
    if run.costs is None:
        return []
    margins = DEFAULT_MARGINS if run.gate is None else run.gate.margins
    lines = []
    for metric in (judge_counted(cost, margins) for cost in run.costs.costs):
        result = metric.verdict if metric.is_gated else f"not gated: {metric.refusal}"
        change = f", {metric.change}" if metric.change else ""
        lines.append(f"{metric.metric} {metric.base} → {metric.branch}{change}: {result}")
    return [*lines, *run.costs.missing]


def _row(metric: MetricVerdict) -> list[str]:
    is_bracket = metric.metric in BRACKETS
    margin = _NONE if metric.margin is None else show_margin(metric.margin)
    return [
        escape(metric.metric),
        _NONE if metric.level is None else show_count(metric.level),
        _NONE if metric.ratio is None else show_count(metric.ratio.n),
        escape(metric.base),
        escape(metric.branch),
        show_interval(metric.ratio) if metric.ratio else escape(metric.change) or _NONE,
        "disjoint" if is_bracket else margin,
        _NONE if metric.smallest is None else f"{metric.smallest * 100:+.1f} %",
        _verdict(metric),
    ]


def _verdict(metric: MetricVerdict) -> str:
    if not metric.is_gated:
        return f"not gated: {escape(metric.refusal)}"
    word = str(metric.verdict)
    shown = f"**{word}**" if metric.verdict is Verdict.REGRESSED else word
    more = [metric.why] if metric.why else []
    if metric.verdict is Verdict.INCONCLUSIVE and metric.ratio is not None:
        more.append(explain_undecided(metric))
    return f"{shown}: {escape('; '.join(more))}" if more else shown
