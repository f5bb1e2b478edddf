"""What the numbers say, in sentences that the program derives from them."""

from harness.analysis.comparison import Comparison, Row
from harness.analysis.stats.ratios import Estimate
from harness.analysis.verdict.brackets import find_bottleneck
from harness.model.cells import Knee
from harness.model.nouns import Side
from harness.model.units import show_count, show_slope
from harness.report.tables import show_interval


def takeaways(comparison: Comparison) -> list[str]:
    """Return a sentence for each thing that the cells say, the breaking point first."""
    lines = [*_who_collapsed(comparison), *_threads(comparison), *_memory(comparison)]
    return lines + [line for metric, name in _RATIOS for line in _ratio(comparison, metric, name)]


_RATIOS = (("cpu-ms/turn", "CPU per turn"), ("latency-infl", "Latency inflation"))


def _who_collapsed(comparison: Comparison) -> list[str]:
    if len(comparison.knees) < 2:
        return []
    if not comparison.complete or any(cell.slot.attempt for cell in comparison.invalid):
        return []  # a side that stopped for another reason has not shown where it breaks
    base, branch = comparison.knees[Side.BASE], comparison.knees[Side.BRANCH]
    if base.first_fail is None and branch.first_fail is None:
        return ["Neither side collapsed: the ladder ends below both knees."]
    if _top(base) == _top(branch):
        ends = (f"{comparison.name_of(side)} {_end(comparison, side)}" for side in Side)
        return [f"Both sides collapse at the same level: {', '.join(ends)}."]
    sides = ((Side.BASE, base), (Side.BRANCH, branch))
    (low, knee), (high, better) = sorted(sides, key=lambda pair: _top(pair[1]))
    least = "at least " if better.first_fail is None else ""
    held = f"{comparison.name_of(high)} holds {least}{show_count(better.last_pass or 0)}"
    then = "" if better.first_fail is None else f", and ends in {_end(comparison, high)}"
    at = f"C={show_count(knee.first_fail or 0)}"
    return [
        f"**{comparison.name_of(low)} collapses at {at} ({_end(comparison, low)}); {held}{then}.**"
    ]


def _end(comparison: Comparison, side: Side) -> str:
    """Name the outcome at a side's knee, and what binds it where that says more."""
    knee = comparison.knees[side]
    failed = [
        cell
        for row in comparison.rows
        if row.level == knee.first_fail
        for cell in row.cells[side]
        if cell.outcome is knee.outcome
    ]
    bound = find_bottleneck(failed[0]) if failed else ""
    told = bound if bound == "CPU" or "(" in bound else ""
    return f"{knee.outcome}, bound by {told}" if told else str(knee.outcome)


def _top(knee: Knee) -> float:
    return float("inf") if knee.first_fail is None else knee.first_fail


def _threads(comparison: Comparison) -> list[str]:
    slopes = comparison.slopes.get("peak-threads", {})
    parts = [
        f"{comparison.name_of(side)} {_slope(found, 'threads per session')}"
        for side, found in slopes.items()
    ]
    return [f"Threads grow by: {'; '.join(parts)}."] if parts else []


def _memory(comparison: Comparison) -> list[str]:
    slopes = comparison.slopes.get("peak-rss-mb", {})
    parts = [
        f"{comparison.name_of(side)} {_slope(found, 'KiB per session')}"
        for side, found in slopes.items()
    ]
    return [f"Memory grows by: {'; '.join(parts)}."] if parts else []


def _slope(found: Estimate, unit: str) -> str:
    value = show_slope(found.value)
    unit = unit.replace("threads", "thread") if value == "1" else unit
    if found.low is None or found.high is None:
        return f"{value} {unit} (two cells, no interval)"
    return f"{value} {unit} [{show_slope(found.low)}, {show_slope(found.high)}]"


def _ratio(comparison: Comparison, metric: str, name: str) -> list[str]:
    row = _highest(comparison, metric)
    if row is None:
        return []
    shown = show_interval(row.ratios[metric])
    return [
        f"{name}: {shown} on the {comparison.name_of(Side.BRANCH)} at C={show_count(row.level)}, the highest level that both pass."
    ]


def _highest(comparison: Comparison, metric: str) -> Row | None:
    rows = [row for row in comparison.rows if metric in row.ratios]
    return rows[-1] if rows else None
