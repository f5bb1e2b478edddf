"""Sentences that sum up a comparison."""

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.brackets import find_bottleneck
from harness.model.cells import Knee
from harness.model.nouns import Side
from harness.model.units import show_count
from harness.report.slopes import show_estimate
from harness.report.tables import show_interval

_SLOPES = {"peak-threads": "Threads per session", "peak-rss-mb": "KiB of memory per session"}
_RATIOS = {"cpu-ms/turn": "CPU per turn", "latency-infl": "Latency inflation"}


def takeaways(comparison: Comparison) -> list[str]:
    """Return the sentences, the breaking point first."""
    lines = _collapse(comparison)
    for metric, name in _SLOPES.items():
        slopes = [
            f"{comparison.name_of(side)} {show_estimate(slope)}"
            for side, slope in comparison.slopes.get(metric, {}).items()
        ]
        lines += [f"{name}: {'; '.join(slopes)}."] if slopes else []
    for metric, name in _RATIOS.items():
        rows = [row for row in comparison.rows if metric in row.ratios]
        if rows:
            shown = show_interval(rows[-1].ratios[metric])
            where = f"on the {comparison.name_of(Side.BRANCH)} at C={show_count(rows[-1].level)}"
            lines.append(f"{name}: {shown} {where}, the highest level that both pass.")
    return lines


def _collapse(comparison: Comparison) -> list[str]:
    """Name the side that breaks first; nothing if a side stopped for another reason."""
    if len(comparison.knees) < 2 or not comparison.complete:
        return []
    if any(cell.slot.attempt for cell in comparison.invalid):
        return []
    base, branch = comparison.knees[Side.BASE], comparison.knees[Side.BRANCH]
    if base.first_fail is None and branch.first_fail is None:
        return ["Neither side collapsed: the ladder ends below both knees."]
    if base.first_fail == branch.first_fail:
        ends = (f"{comparison.name_of(side)} {_end(comparison, side)}" for side in Side)
        return [f"Both sides collapse at the same level: {', '.join(ends)}."]
    low, high = sorted(Side, key=lambda side: _top(comparison.knees[side]))
    knee, better = comparison.knees[low], comparison.knees[high]
    is_open = better.first_fail is None
    held = f"{'at least ' if is_open else ''}{show_count(better.last_pass or 0)}"
    end = "" if is_open else f", and ends in {_end(comparison, high)}"
    collapse = f"{comparison.name_of(low)} collapses at C={show_count(knee.first_fail or 0)}"
    cause = _end(comparison, low)
    return [f"**{collapse} ({cause}); {comparison.name_of(high)} holds {held}{end}.**"]


def _end(comparison: Comparison, side: Side) -> str:
    """Name the outcome at a side's knee, and the binding resource if known."""
    knee = comparison.knees[side]
    failed = [
        cell
        for row in comparison.rows
        if row.level == knee.first_fail
        for cell in row.cells[side]
        if cell.outcome is knee.outcome
    ]
    bound = find_bottleneck(failed[0]) if failed else ""
    adds = bound == "CPU" or "(" in bound
    return f"{knee.outcome}, bound by {bound}" if adds else str(knee.outcome)


def _top(knee: Knee) -> float:
    return float("inf") if knee.first_fail is None else knee.first_fail
