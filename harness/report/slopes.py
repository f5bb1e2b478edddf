"""What a session costs, and at which level that would use up the box."""

from harness.analysis.comparison import Comparison
from harness.analysis.slopes import BoxLimit, find_box_limits
from harness.analysis.stats.ratios import Estimate
from harness.model.cells import Knee
from harness.model.nouns import Side
from harness.model.units import show_count, show_slope
from harness.report.markdown import table

_NONE = "–"
_NAMES = {
    "peak-threads": "threads a session",
    "cpu-ms/turn": "cpu-ms a turn",
    "peak-rss-mb": "KiB a session",
    "peak-fds": "open files a session",
}
_FARTHEST = 10_000_000


def limits_table(comparison: Comparison) -> str:
    """Render a row a marginal cost: the slope on each side, what the box has of it, and the C that would use it up."""
    sides = [info.side for info in comparison.run.sides]
    prefixes = [f"{side} " if len(sides) > 1 else "" for side in sides]
    header = ["what is added"]
    header += [f"{prefix}slope [95 %]" for prefix in prefixes]
    header += ["the box has", *(f"{prefix}reaches it at C" for prefix in prefixes)]
    rows = [
        _row(comparison, limit, sides)
        for limit in find_box_limits(comparison.run, comparison.lines)
    ]
    return table(header, rows, words=("added", "[95 %]", "has", "at C")) if rows else ""


def observed(comparison: Comparison) -> str:
    """Say what was in fact seen, to be held against what the slopes foretell."""
    parts = [
        f"{comparison.name_of(side)} {_seen(knee)}" for side, knee in comparison.knees.items()
    ]
    return f"Observed: {'; '.join(parts)}."


def _seen(knee: Knee) -> str:
    if knee.first_fail is None:
        held = show_count(knee.last_pass or 0)
        return f"held C={held}, the last that was tried" if knee.last_pass else "was not run"
    failed = f"C={show_count(knee.first_fail)} ({knee.outcome})"
    return f"gave way {'between C=' + show_count(knee.last_pass) + ' and' if knee.last_pass else 'at'} {failed}"


def _row(comparison: Comparison, limit: BoxLimit, sides: list[Side]) -> list[str]:
    lines = comparison.lines[limit.metric]
    slopes = [_slope(lines[side].slope) if side in lines else _NONE for side in sides]
    reached = [
        _level(limit.reached.get(side)) if limit.cap and side in lines else _NONE for side in sides
    ]
    return [_NAMES[limit.metric], *slopes, limit.cap or "no limit of its own", *reached]


def _slope(found: Estimate) -> str:
    value = show_slope(found.value)
    if found.low is None or found.high is None:
        return f"{value} (two cells)"
    return f"{value} [{show_slope(found.low)}, {show_slope(found.high)}]"


def _level(at: Estimate | None) -> str:
    if at is None or at.value > _FARTHEST:
        return "never"
    value = show_count(_rounded(at.value))
    if at.low is None or at.high is None:
        return value
    high = "∞" if at.high > _FARTHEST else show_count(_rounded(at.high))
    return f"{value} [{show_count(_rounded(at.low))}, {high}]"


def _rounded(value: float) -> float:
    """Round to three digits: it is an extrapolation."""
    return float(f"{value:.3g}")
