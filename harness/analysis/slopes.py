"""What a session adds, and the level at which that would use up what the box has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.levels import ladder_cells, tried_levels
from harness.analysis.stats.lines import Line, fit_line, reach
from harness.analysis.stats.ratios import Estimate
from harness.model.cells import Cell, Result
from harness.model.metrics import Metric
from harness.model.nouns import OPEN_FILES, Outcome, Side
from harness.model.runs import RunInfo
from harness.model.units import show_bytes, show_count

_SHARDS = "SCALE_PROCS"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLimit:
    """What the box has of something, and the level at which each side would have used it up.

    Args:
        metric: Whose slope it is.
        cap: What there is, for people; empty where the box sets no limit.
        reached: The level by side, with its interval; a side that never gets there has none.
    """

    metric: str
    cap: str
    reached: dict[Side, Estimate]


def lines_of(metric: Metric, run: RunInfo, cells: Sequence[Cell]) -> dict[Side, Line]:
    """Fit what grows with the sessions, over the ladder's cells that ended ok; a side with fewer than two levels has no line."""
    found: dict[Side, Line] = {}
    grows = metric.per_session
    if grows is None:
        return found
    for side in (info.side for info in run.sides):
        line = fit_line(_points(grows, cells, side))
        if line is not None:
            found[side] = line
    return found


def find_box_limits(run: RunInfo, lines: Mapping[str, Mapping[Side, Line]]) -> list[BoxLimit]:
    """Extrapolate each line to what the box has of it: memory, open files, processes and threads, CPU.

    A worker process uses one CPU at most, so that what there is of it in the time of an undisturbed turn is one CPU a process.
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


def _points(
    grows: Callable[[Result], float | None], cells: Sequence[Cell], side: Side
) -> list[tuple[float, float]]:
    points = []
    for level in tried_levels(cells, side):
        for cell in ladder_cells(cells, side, level):
            if cell.outcome is Outcome.OK and cell.result is not None:
                value = grows(cell.result)
                if value is not None:
                    points.append((float(level), float(value)))
    return points


def _cap(metric: str, run: RunInfo, side: Side) -> tuple[float | None, str]:
    """Return what there is, in the unit of the line and for people."""
    caps = run.caps
    if metric == "peak-rss-mb":
        return caps.memory_bytes / 1024, show_bytes(caps.memory_bytes)
    if metric == "peak-fds":
        files = OPEN_FILES * _processes(run, side)  # each process has as many
        return float(files), f"{show_count(files)} open files"
    if metric == "peak-threads" and caps.pids is not None:
        return float(caps.pids), f"{show_count(caps.pids)} pids"
    if metric == "cpu-ms/turn" and run.load.nominal_turn_ms:
        cpus = min(caps.cpus, _processes(run, side))
        return cpus * run.load.nominal_turn_ms, f"{cpus:g} CPU"
    return None, ""


def _processes(run: RunInfo, side: Side) -> int:
    given = next(
        info.drive.environment.get(_SHARDS, "") for info in run.sides if info.side is side
    )
    return int(given) if given.isdigit() else 1
