"""Single lines: cells and knees for a run's progress, and settings for a header."""

from collections.abc import Mapping

from harness.model.cells import Cell, Knee, Slot
from harness.model.nouns import HOLDABLE, Caps, Load, Outcome, Phase
from harness.model.runs import BoxInfo
from harness.model.text import printable
from harness.model.units import (
    show_bytes,
    show_count,
    show_number,
    show_plural,
    show_ratio,
    show_seconds,
)
from harness.outcome.evidence import describe_end

_TITLE = 200  # characters


def cell_line(cell: Cell) -> str:
    """Describe in one line how a cell ended."""
    return f"{place(cell.slot)} {describe_cell(cell)} ({show_seconds(cell.wall_s)})"


def place(slot: Slot) -> str:
    """Show level and side in columns, and the phase unless it is the ladder."""
    phase = "" if slot.phase is Phase.LADDER else f" {slot.phase}:"
    return f"C={show_count(slot.level):<7} {slot.side:<6}{phase}"


def describe_cell(cell: Cell) -> str:
    """Describe how a cell ended, without its place."""
    result = cell.result
    if cell.outcome is not Outcome.OK or result is None:
        return _describe_failure(cell)
    parts = ["ok"]
    if result.latency_infl is not None:
        parts.append(f"{show_ratio(result.latency_infl)} latency-infl")
    if result.peak_threads is not None:
        parts.append(show_plural(result.peak_threads, "thread"))
    if result.cpu_ms_per_turn is not None:
        parts.append(f"{show_number(result.cpu_ms_per_turn)} cpu-ms/turn")
    if result.peak_rss_mb is not None:
        parts.append(f"{show_number(result.peak_rss_mb)} MB")
    return ", ".join(parts)


def knee_line(name: str, knee: Knee) -> str:
    """Describe in one line where a side breaks."""
    if knee.first_fail is None:
        passed = show_count(knee.last_pass or 0)
        return (
            f"{name}: no knee up to C={passed}" if knee.last_pass else f"{name}: nothing was run"
        )
    failed = f"C={show_count(knee.first_fail)}: {knee.outcome} ({printable(knee.reason)})"
    if knee.last_pass:
        return f"{name}: the knee is between C={show_count(knee.last_pass)} and {failed}"
    return f"{name}: fails at the first level, {failed}"


def show_caps(caps: Caps, box: BoxInfo) -> str:
    """Show the caps of a cell, and the limits that its box does not enforce."""
    parts = [f"{caps.cpus:g} CPU", f"{show_bytes(caps.memory_bytes)} memory"]
    if "swap" in box.holds:
        parts[-1] += " and no swap"
    if caps.pids:
        parts.append(f"{caps.pids} pids")
    if "network" in box.holds:
        parts.append("no network")
    loose = [name for name in HOLDABLE if name not in box.holds]
    enforced = f"; not enforced: {', '.join(loose)}" if loose else ""
    return f"{', '.join(parts)}, {show_seconds(caps.timeout_s)} a cell{enforced}"


def show_load(load: Load) -> str:
    """Show the work of a session."""
    extra = f", pump polls every {load.qsleep_ms} ms" if load.qsleep_ms else ""
    state = f", {load.state_kb} KB of state per session" if load.state_kb else ""
    answer = f"{load.tokens} tokens at {load.tok_ms} ms"
    return f"{load.turns} turns, ttft {load.ttft_ms} ms, {answer}{extra}{state}"


def show_environment(environment: Mapping[str, str]) -> str:
    """Show variables as ``A=1 B=2``, sorted by name."""
    return " ".join(f"{name}={value}" for name, value in sorted(environment.items()))


def show_title(text: str) -> str:
    """Return the first line of a commit message, cut to 200 characters."""
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"


def _describe_failure(cell: Cell) -> str:
    peak = f", peak threads ~{show_count(cell.peak_threads)}" if cell.peak_threads else ""
    failure = f"{cell.outcome}: {printable(cell.reason)}{peak}"
    if cell.outcome is Outcome.INVALID:
        return f"{failure}; {'not retried again' if cell.slot.attempt else 'will be retried'}"
    evidence = printable(describe_end(cell))
    return f"{failure}; {evidence}" if evidence else failure
