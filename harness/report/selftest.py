"""The report of a self-test: the noise floor and the injected regressions."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.analysis.controls import Control
from harness.analysis.stats.tests import power_of
from harness.analysis.verdict.estimated import smallest_detectable
from harness.analysis.verdict.kinds import MetricVerdict, OverallVerdict, Verdict
from harness.model.gate import NoiseFloor
from harness.model.metrics import ESTIMATED
from harness.model.runs import RunInfo
from harness.model.units import show_change, show_count
from harness.report.document import header
from harness.report.lines import show_environment
from harness.report.markdown import escape, table

_NONE = "–"
_ESTIMATED = tuple(metric.name for metric in ESTIMATED)
_NOTE = (
    "“detectable” is the smallest change for the worse that this many pairs show with 80 % power; smaller margins are refused. “pairs alone” "
    "is the result of the estimated metric without the counts; “power predicted” follows from the noise floor, before Holm's adjustment."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestRow:
    """One gate of a self-test.

    Args:
        control: The injected regression; None for identical builds.
        gated: The verdict of the gate.
    """

    control: Control | None
    gated: OverallVerdict


def render_selftest(run: RunInfo, noise_floor: NoiseFloor, rows: list[SelfTestRow]) -> str:
    """Return the whole document, ending in a newline."""
    columns = ("injected", "verdict", "counts and outcomes", "pairs alone", "power predicted")
    body = [_row(noise_floor, row) for row in rows]
    parts = [
        "## Self-test of the gate",
        header(run),
        f"### Noise floor of this host, at C={show_count(noise_floor.level)} with {noise_floor.pairs} pairs",
        _floor_table(noise_floor),
        "### Injected regressions, and what caught them",
        table(columns, body, words=("injected", "verdict", "outcomes", "alone")),
        _NOTE,
    ]
    return "\n\n".join(parts) + "\n"


def _floor_table(noise_floor: NoiseFloor) -> str:
    rows = []
    for name in _ESTIMATED:
        deviation = noise_floor.deviations.get(name)
        smallest = smallest_detectable(name, noise_floor.pairs, noise_floor)
        rows.append([name, _share(deviation), _share(smallest)])
    return table(["metric", "deviation of a pair", "detectable"], rows, words=("metric",))


def _row(noise_floor: NoiseFloor, row: SelfTestRow) -> list[str]:
    verdict, control = str(row.gated.verdict), row.control
    alarms = {Verdict.REGRESSED} if control else {Verdict.REGRESSED, Verdict.IMPROVED}
    found = [m.metric for m in row.gated.metrics if m.is_gated and m.verdict in alarms]
    exact = _names(name for name in found if name not in _ESTIMATED)
    if control is None:
        by_pairs = _names(name for name in found if name in _ESTIMATED)
        return ["nothing (A/A)", verdict, exact or "no alarm", by_pairs or "no alarm", _NONE]
    injected = f"{escape(control.name)} (`{show_environment(control.environment)}`)"
    return [injected, verdict, exact or "not caught", *_by_pairs(noise_floor, control, row)]


def _by_pairs(noise_floor: NoiseFloor, control: Control, row: SelfTestRow) -> list[str]:
    """Return the result of the estimated metric, and its predicted power."""
    metric = next((m for m in row.gated.metrics if m.metric == control.metric), None)
    if metric is None or metric.ratio is None:
        return [_NONE, _NONE]
    caught = "caught" if metric.verdict is Verdict.REGRESSED else "not caught"
    p = ", not gated" if metric.p is None else f", p {metric.p:.2g}"
    change = show_change(metric.ratio.value)
    return [f"{caught}: {change}{p}", _power(noise_floor, control, metric, metric.ratio.n)]


def _names(metrics: Iterable[str]) -> str:
    """List metrics, each once."""
    return escape(", ".join(dict.fromkeys(metrics)))


def _power(noise_floor: NoiseFloor, control: Control, metric: MetricVerdict, pairs: int) -> str:
    deviation = noise_floor.deviations.get(control.metric)
    if not deviation or metric.limit is None:
        return _NONE
    beyond = math.log1p(control.effect) - metric.limit
    return f"{power_of(beyond, deviation, pairs) * 100:.0f} %"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value * 100:.1f} %"
