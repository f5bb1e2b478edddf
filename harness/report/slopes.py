"""The table of costs per session, extrapolated to the limits of the box."""

from harness.analysis.comparison import Comparison
from harness.analysis.slopes import BoxLimit, find_box_limits
from harness.analysis.stats.ratios import Estimate
from harness.model.cells import Knee
from harness.model.nouns import Side
from harness.model.units import show_count, show_slope
from harness.report.markdown import table

_NONE = "–"
_NAMES = {
    "peak-threads": "threads per session",
    "cpu-ms/turn": "cpu-ms per turn",
    "peak-rss-mb": "KiB per session",
    "peak-fds": "open files per session",
}
_FARTHEST = 10_000_000


def limits_table(comparison: Comparison) -> str:
    """Return a row per cost: its slopes, its limit, and the C that reaches it."""
    sides = [info.side for info in comparison.run.sides]
    prefixes = [f"{side} " if len(sides) > 1 else "" for side in sides]
    slopes = [f"{prefix}slope [95 %]" for prefix in prefixes]
    header = ["cost", *slopes, "limit", *(f"{prefix}reaches it at C" for prefix in prefixes)]
    limits = find_box_limits(comparison.run, comparison.lines)
    rows = [_row(comparison, limit, sides) for limit in limits]
    return table(header, rows, words=("cost", "[95 %]", "limit", "at C")) if rows else ""


def observed(comparison: Comparison) -> str:
    """Return a sentence about the levels that were in fact passed or failed."""
    parts = [
        f"{comparison.name_of(side)} {_observed(knee)}" for side, knee in comparison.knees.items()
    ]
    return f"Observed: {'; '.join(parts)}."


def show_estimate(found: Estimate) -> str:
    """Show a slope with its interval: ``2 [1.99, 2.01]``."""
    value = show_slope(found.value)
    if found.low is None or found.high is None:
        return f"{value} (two cells)"
    return f"{value} [{show_slope(found.low)}, {show_slope(found.high)}]"


def _observed(knee: Knee) -> str:
    passed = f"C={show_count(knee.last_pass)}" if knee.last_pass else ""
    if knee.first_fail is None:
        return f"passed {passed}, the highest level tried" if passed else "was not run"
    failed = f"C={show_count(knee.first_fail)} ({knee.outcome})"
    return f"failed between {passed} and {failed}" if passed else f"failed at {failed}"


def _row(comparison: Comparison, limit: BoxLimit, sides: list[Side]) -> list[str]:
    lines = comparison.lines[limit.metric]
    slopes = [show_estimate(lines[side].slope) if side in lines else _NONE for side in sides]
    reached = [
        _level(limit.reached.get(side)) if limit.cap and side in lines else _NONE for side in sides
    ]
    return [_NAMES[limit.metric], *slopes, limit.cap or "none", *reached]


def _level(at: Estimate | None) -> str:
    if at is None or at.value > _FARTHEST:
        return "never"
    value = _rounded(at.value)
    if at.low is None or at.high is None:
        return value
    return f"{value} [{_rounded(at.low)}, {'∞' if at.high > _FARTHEST else _rounded(at.high)}]"


def _rounded(value: float) -> str:
    """Show an extrapolated level with three digits."""
    return show_count(float(f"{value:.3g}"))
