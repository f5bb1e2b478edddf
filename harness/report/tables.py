"""The table of levels, and the table of costs at the levels that both sides pass."""

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
    """Return a row per level: peak threads and outcome of each side."""
    sides = [info.side for info in comparison.run.sides]
    header = ["C (sessions)"]
    for side in sides:
        prefix = f"{side} " if len(sides) > 1 else ""
        header += [f"{prefix}peak-threads", f"{prefix}outcome"]
    rows = []
    for row in comparison.rows:
        columns = [text for side in sides for text in (_threads(row, side), _outcome(row, side))]
        rows.append([show_count(row.level), *columns])
    return table(header, rows, words=("outcome",))


def cost_table(comparison: Comparison) -> str:
    """Return a row per level that both sides pass, with the ratio of each cost."""
    rows = [
        [show_count(row.level), *(text for metric in _COSTS for text in _ratio(row, metric))]
        for row in comparison.rows
        if row.ratios
    ]
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


def _ratio(row: Row, metric: str) -> tuple[str, str, str]:
    estimate = row.ratios.get(metric)
    if estimate is None:
        return _NOT_RUN, _NOT_RUN, _NOT_RUN
    base, branch = (_typical(row.cells[side], metric) for side in Side)
    return base, branch, show_interval(estimate)


def _threads(row: Row, side: Side) -> str:
    peak = _peak(row, side)
    if peak is None:
        return _NOT_RUN
    shown = show_count(peak)
    if not row.passed(side):
        return f"~{shown}"  # the last report before the end
    other = _peak(row, side.other)
    return f"**{shown}**" if other is not None and peak * 2 < other else shown


def _peak(row: Row, side: Side) -> int | None:
    here = row.cells.get(side, [])
    return max((c.peak_threads for c in here if c.peak_threads is not None), default=None)


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
