"""The self-test of the gate as people read it: the noise, and what was caught."""

import math
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
from harness.report.markdown import escape, table

_NONE = "–"
_ESTIMATED = tuple(metric.name for metric in ESTIMATED)
_ALARMS = (Verdict.REGRESSED, Verdict.IMPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestRow:
    """One gate of a self-test.

    Args:
        control: What was injected; None for identical builds.
        gated: What the gate said.
    """

    control: Control | None
    gated: OverallVerdict


def render_selftest(run: RunInfo, noise_floor: NoiseFloor, rows: list[SelfTestRow]) -> str:
    """Return the whole document, ending in a newline."""
    parts = [
        "## Self-test of the gate",
        header(run),
        f"### The floor of this host, at C={show_count(noise_floor.level)} with {noise_floor.pairs} pairs",
        _floor_table(noise_floor),
        "### What was injected, and what caught it",
        _controls_table(noise_floor, rows),
        _NOTE,
    ]
    return "\n\n".join(parts) + "\n"


_NOTE = (
    "“would be seen” is the smallest change for the worse that so many pairs tell from none with 80 % power; a margin below it is refused. “pairs alone” "
    "is what the estimated metric says without what is counted; beside it is the power that the floor predicts for it, before Holm's adjustment."
)


def _floor_table(noise_floor: NoiseFloor) -> str:
    rows = []
    for name in _ESTIMATED:
        sd, least = (
            noise_floor.deviations.get(name),
            smallest_detectable(name, noise_floor.pairs, noise_floor),
        )
        shown = [_NONE, _NONE] if sd is None or least is None else [_share(sd), _share(least)]
        rows.append([name, *shown])
    return table(["metric", "deviation of a pair", "would be seen"], rows, words=("metric",))


def _controls_table(noise_floor: NoiseFloor, rows: list[SelfTestRow]) -> str:
    header_ = ["injected", "verdict", "counts and outcomes", "pairs alone", "power predicted"]
    body = [_row(noise_floor, row) for row in rows]
    return table(header_, body, words=("injected", "verdict", "outcomes", "alone"))


def _row(noise_floor: NoiseFloor, row: SelfTestRow) -> list[str]:
    exact = [m for m in row.gated.metrics if m.metric not in _ESTIMATED and m.is_gated]
    caught = [m.metric for m in exact if m.verdict is Verdict.REGRESSED]
    control = row.control
    if control is None:
        alarms = [m.metric for m in row.gated.metrics if m.is_gated and m.verdict in _ALARMS]
        by_pairs = [name for name in alarms if name in _ESTIMATED]
        return [
            "nothing (A/A)",
            str(row.gated.verdict),
            _names([name for name in alarms if name not in _ESTIMATED]) or "no alarm",
            _names(by_pairs) or "no alarm",
            _NONE,
        ]
    given = " ".join(f"{name}={value}" for name, value in control.environment.items())
    return [
        f"{escape(control.name)} (`{given}`)",
        str(row.gated.verdict),
        _names(caught) or "not seen",
        *_by_pairs(noise_floor, control, row),
    ]


def _by_pairs(noise_floor: NoiseFloor, control: Control, row: SelfTestRow) -> list[str]:
    metric = next((m for m in row.gated.metrics if m.metric == control.metric), None)
    if metric is None or metric.ratio is None:
        return [_NONE, _NONE]
    seen = "caught" if metric.verdict is Verdict.REGRESSED else "not seen"
    p = ", not gated" if metric.p is None else f", p {metric.p:.2g}"
    return [f"{seen}: {show_change(metric.ratio.value)}{p}", _power(noise_floor, control, metric)]


def _names(metrics: list[str]) -> str:
    """Name metrics, each once however many levels it has."""
    return escape(", ".join(dict.fromkeys(metrics)))


def _power(noise_floor: NoiseFloor, control: Control, metric: MetricVerdict) -> str:
    sd = noise_floor.deviations.get(control.metric)
    if not sd or metric.limit is None or metric.ratio is None:
        return _NONE
    beyond = math.log1p(control.effect) - metric.limit
    return f"{power_of(beyond, sd, metric.ratio.n):.0%}".replace("%", " %")


def _share(value: float) -> str:
    return f"{value * 100:.1f} %"
