"""The table that people paste, and the table of costs beside it."""

from collections.abc import Sequence

from harness.analysis.comparison import Comparison, Row
from harness.analysis.stats.ratios import Estimate, geometric_mean
from harness.model.cells import Cell
from harness.model.metrics import METRICS
from harness.model.nouns import Outcome, Side
from harness.model.units import show_change, show_count, show_number, show_ratio
from harness.report.markdown import escape, table

_COSTS = ("cpu-ms/turn", "latency-infl", "peak-rss-mb")
_NOT_RUN = "–"
_READ = {metric.name: metric.read for metric in METRICS}


def levels_table(comparison: Comparison) -> str:
    """Render a row a level: what each side's threads peaked at, and how it ended."""
    sides = [info.side for info in comparison.run.sides]
    alone = len(sides) == 1
    header = ["C (sessions)"]
    for side in sides:
        prefix = "" if alone else f"{side} "
        header += [f"{prefix}peak-threads", f"{prefix}outcome"]
    rows = []
    for row in comparison.rows:
        cells = [show_count(row.level)]
        for side in sides:
            cells += [_threads(row, side), _outcome(row, side)]
        rows.append(cells)
    return table(header, rows, words=("outcome",))


def cost_table(comparison: Comparison) -> str:
    """Render base, branch and the ratio with its interval for each metric, at the levels that both sides pass."""
    rows = []
    for row in comparison.rows:
        if not row.ratios:
            continue
        line = [show_count(row.level)]
        for metric in _COSTS:
            estimate = row.ratios.get(metric)
            if estimate is None:
                line += [_NOT_RUN] * 3
                continue
            line += [
                _typical(row.cells[Side.BASE], metric),
                _typical(row.cells[Side.BRANCH], metric),
            ]
            line.append(show_interval(estimate))
        rows.append(line)
    header = ["C"]
    for metric in _COSTS:
        header += [f"base {metric}", "branch", "ratio"]
    return table(header, rows, words=("ratio",)) if rows else ""


def show_interval(estimate: Estimate) -> str:
    """Show a ratio as a change with its interval: ``+38.0 % [+31.0 %, +46.0 %]``."""
    change = show_change(estimate.value)
    if estimate.low is None or estimate.high is None:
        return f"{change} (one pair)"
    return f"{change} [{show_change(estimate.low)}, {show_change(estimate.high)}]"


def _threads(row: Row, side: Side) -> str:
    peaks = [cell.peak_threads for cell in row.cells[side] if cell.peak_threads is not None]
    if not peaks:
        return _NOT_RUN
    shown = show_count(max(peaks))
    if not row.passed(side):
        return f"~{shown}"  # seen before the end, not at it
    others = [c.peak_threads for c in row.cells.get(side.other, []) if c.peak_threads is not None]
    fewer = bool(others) and max(peaks) * 2 < max(others)
    return f"**{shown}**" if fewer else shown


def _outcome(row: Row, side: Side) -> str:
    cells = row.cells[side]
    if not cells:
        return _NOT_RUN
    failed = [cell for cell in cells if cell.outcome is not Outcome.OK]
    if failed:
        count = f" ({len(failed)} of {len(cells)} cells)" if len(cells) > 1 else ""
        return f"**DIED — {_cause(failed[0])}**{count}"
    other_died = bool(row.cells.get(side.other)) and not row.passed(side.other)
    ok = "**ok**" if other_died else "ok"
    latency = _typical(cells, "latency-infl")
    return ok if latency == _NOT_RUN else f"{ok} — {latency}× latency-infl"


def _cause(cell: Cell) -> str:
    return escape(f"{cell.outcome}: {cell.reason}" if cell.reason else str(cell.outcome))


def _typical(cells: Sequence[Cell], metric: str) -> str:
    found = (_READ[metric](cell.result) for cell in cells if cell.result is not None)
    values = [value for value in found if value]
    if not values:
        return _NOT_RUN
    value = geometric_mean(values)
    return show_ratio(value).rstrip("×") if metric == "latency-infl" else show_number(value)
