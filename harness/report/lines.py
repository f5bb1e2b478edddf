"""One line a cell and one line a knee: what a run prints as it goes."""

from harness.model.cells import Cell, Knee, Slot
from harness.model.nouns import HOLDABLE, Caps, Outcome, Phase
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
    """Say in one line how a cell ended."""
    return f"{place(cell.slot)} {describe_cell(cell)} ({show_seconds(cell.wall_s)})"


def place(slot: Slot) -> str:
    """Show where a cell stands, in columns: its level and its side, and its phase where that is not the ladder."""
    phase = "" if slot.phase is Phase.LADDER else f" {slot.phase}:"
    return f"C={show_count(slot.level):<7} {slot.side:<6}{phase}"


def describe_cell(cell: Cell) -> str:
    """Say how a cell ended, without its place."""
    if cell.outcome is not Outcome.OK or cell.result is None:
        peak = f", peak threads ~{show_count(cell.peak_threads)}" if cell.peak_threads else ""
        told = "" if cell.outcome is Outcome.INVALID else describe_end(cell)
        evidence = f"; {printable(told)}" if told else ""
        return f"{cell.outcome}: {printable(cell.reason)}{peak}{evidence}{_what_follows(cell)}"
    result = cell.result
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


def show_caps(caps: Caps, box: BoxInfo) -> str:
    """Say what a cell may have, and which of that its box cannot hold for certain."""
    parts = [f"{caps.cpus:g} CPU", f"{show_bytes(caps.memory_bytes)} memory"]
    if "swap" in box.holds:
        parts[-1] += " and no swap"
    if caps.pids:
        parts.append(f"{caps.pids} pids")
    if "network" in box.holds:
        parts.append("no network")
    loose = [name for name in HOLDABLE if name not in box.holds]
    held = f"; not held: {', '.join(loose)}" if loose else ""
    return f"{', '.join(parts)}, {show_seconds(caps.timeout_s)} a cell{held}"


def _what_follows(cell: Cell) -> str:
    if cell.outcome is not Outcome.INVALID:
        return ""
    return "; it is run once more" if cell.slot.attempt == 0 else "; twice is enough"


def knee_line(name: str, knee: Knee) -> str:
    """Say in one line where a build breaks.

    Args:
        name: What to call it: its side, where there are two.
        knee: Its bracket.
    """
    held = f"C={show_count(knee.last_pass)}" if knee.last_pass else "no level"
    if knee.first_fail is None:
        return f"{name}: no knee up to {held}" if knee.last_pass else f"{name}: nothing was run"
    failed = f"C={show_count(knee.first_fail)}: {knee.outcome} ({printable(knee.reason)})"
    return (
        f"{name}: the knee is between {held} and {failed}"
        if knee.last_pass
        else f"{name}: fails at the first level, {failed}"
    )


def show_title(text: str) -> str:
    """Return the first line of a commit's message, cut where it is beyond 200 characters: it may be of any length."""
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"
