"""Marginal costs of a session, and the levels at which they exhaust the box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.levels import is_measured
from harness.analysis.stats.lines import Line, fit_line, reach
from harness.analysis.stats.ratios import Estimate
from harness.model.cells import Cell
from harness.model.metrics import Metric
from harness.model.nouns import OPEN_FILES, Outcome, Side
from harness.model.runs import RunInfo
from harness.model.units import show_bytes, show_count

_SHARDS = "SCALE_PROCS"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLimit:
    """A limit of the box, and the level at which each side would reach it.

    Args:
        metric: The metric whose line is extrapolated.
        cap: The limit, for people; empty where the box has none.
        reached: The level by side; a side that never reaches the limit is missing.
    """

    metric: str
    cap: str
    reached: dict[Side, Estimate]


def fit_lines(metric: Metric, run: RunInfo, cells: Sequence[Cell]) -> dict[Side, Line]:
    """Return each side's line of a metric over the level, fitted to the ok cells.

    A side with fewer than two levels, or a metric that does not grow with C, has no line.
    """
    lines = {side: fit_line(_points(metric, cells, side)) for side in (i.side for i in run.sides)}
    return {side: line for side, line in lines.items() if line is not None}


def find_box_limits(run: RunInfo, lines: Mapping[str, Mapping[Side, Line]]) -> list[BoxLimit]:
    """Extrapolate each line to the box's limit of memory, open files, pids or CPU.

    A worker process can use one CPU.
    """
    limits = []
    for metric, by_side in lines.items():
        caps = {side: _cap(metric, run, side) for side in by_side}
        reached = {}
        for side, line in by_side.items():
            amount, _ = caps[side]
            at = reach(line, amount) if amount is not None else None
            if at is not None:
                reached[side] = at
        if by_side:
            shown = list(dict.fromkeys(text for _, text in caps.values()))
            limits.append(BoxLimit(metric=metric, cap=" and ".join(shown), reached=reached))
    return limits


def _points(metric: Metric, cells: Sequence[Cell], side: Side) -> list[tuple[float, float]]:
    if metric.per_session is None:
        return []
    amounts = [
        (cell.slot.level, metric.per_session(cell.result))
        for cell in cells
        if cell.result is not None
        and (cell.slot.side, cell.outcome) == (side, Outcome.OK)
        and is_measured(cell)
    ]
    return [(float(level), float(amount)) for level, amount in amounts if amount is not None]


def _cap(metric: str, run: RunInfo, side: Side) -> tuple[float | None, str]:
    """Return the box's limit in the unit of the metric's line, and for people."""
    caps = run.caps
    if metric == "peak-rss-mb":
        return caps.memory_bytes / 1024, show_bytes(caps.memory_bytes)
    if metric == "peak-fds":
        files = OPEN_FILES * _processes(run, side)  # the limit is per process
        return float(files), f"{show_count(files)} open files"
    if metric == "peak-threads" and caps.pids is not None:
        return float(caps.pids), f"{show_count(caps.pids)} pids"
    if metric == "cpu-ms/turn" and run.load.nominal_turn_ms:
        cpus = min(caps.cpus, _processes(run, side))
        return cpus * run.load.nominal_turn_ms, f"{cpus:g} CPU"
    return None, ""


def _processes(run: RunInfo, side: Side) -> int:
    shards = next(
        info.drive.environment.get(_SHARDS, "") for info in run.sides if info.side is side
    )
    return int(shards) if shards.isdigit() else 1
