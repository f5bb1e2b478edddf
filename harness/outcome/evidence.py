"""The evidence of a stored cell's end, in one sentence."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from harness.model.cells import Cell
from harness.model.nouns import Outcome
from harness.model.units import show_bytes, show_count, show_plural
from harness.outcome.causes import find_thread_limit
from harness.outcome.observation import number_in

_LONGEST_QUOTE = 160
_THROTTLED_MS = 1000.0
_PEAKS = (
    ("pids-peak", "pids", "pids-max", "allowed"),
    ("peak-threads", "threads", "max-map-count", "mappings allowed"),
)

Evidence = Mapping[str, object]


def describe_end(cell: Cell) -> str:
    """Return the evidence of how a cell ended, without a full stop; may be empty.

    Missing values are left out, and so is what the cell's reason already contains.
    """
    inside, box = _map_in(cell.evidence, "supervisor"), _map_in(cell.evidence, "box")
    parts = (
        *_memory(cell, inside, box),
        *_exhausted(cell, inside),
        *_signal(cell, inside),
        *(() if cell.result is not None else (*_progress(cell, inside), *_last_samples(inside))),
        *_usage(cell, inside),
        *_last_line(cell),
    )
    return ", ".join(part for part in parts if part not in cell.reason)


def thread_limit(cell: Cell) -> str:
    """Return the limit that stopped a thread from starting; empty if unknown."""
    found = find_thread_limit(_map_in(cell.evidence, "supervisor"))
    return found[0] if found else ""


def _memory(cell: Cell, inside: Evidence, box: Evidence) -> Iterator[str]:
    """Yield the count of kills for memory, with the peak."""
    if at_kill := number_in(box, "memory-at-kill-bytes"):
        yield f"killed at {_megabytes(at_kill)}"
        return
    kills = number_in(inside, "oom-kills") or number_in(box, "oom-kills")
    peak = number_in(inside, "memory-peak-bytes") or number_in(box, "memory-peak-bytes")
    if kills:
        yield f"oom_kill {show_count(kills)}{f' at {_megabytes(peak)}' if peak else ''}"
    elif cell.outcome is Outcome.OOM and peak:
        yield f"memory peaked at {_megabytes(peak)}"


def _exhausted(cell: Cell, inside: Evidence) -> Iterator[str]:
    """Yield refusals, and the peak of the exhausted resource with its limit."""
    if refused := number_in(inside, "pids-refused"):
        yield f"the kernel refused a thread or a process {show_plural(refused, 'time')}"
    if cell.outcome is Outcome.THREADS:
        for name, noun, limit, allowed in _PEAKS:
            peak, most = number_in(inside, name), number_in(inside, limit)
            if peak and most:
                yield f"{show_count(peak)} {noun} ({show_count(most)} {allowed})"
            if most and peak >= most:
                return
    if cell.outcome is Outcome.FDS and (peak := number_in(inside, "peak-fds")):
        most = number_in(inside, "nofile")
        yield f"{show_count(peak)} open files{f' of {show_count(most)}' if most else ''}"


def _signal(cell: Cell, inside: Evidence) -> Iterator[str]:
    number = number_in(inside, "signal")
    if cell.outcome is Outcome.CRASH and (number or cell.exit_code):
        yield f"signal {number:g}" if number else f"exit code {cell.exit_code}"


def _progress(cell: Cell, inside: Evidence) -> Iterator[str]:
    if cell.sessions_done is None:
        return
    yield f"{show_count(cell.sessions_done)} of {show_count(cell.slot.level)} sessions done"
    tokens = number_in(inside, "deltas")
    if tokens and not cell.sessions_done:
        yield f"{show_count(tokens)} tokens delivered"


def _last_samples(inside: Evidence) -> Iterator[str]:
    """Yield the change of memory and threads over the last samples, about 0.25 s."""
    samples = inside.get("last-samples")
    known = [each for each in samples if isinstance(each, dict)] if _is_list(samples) else []
    if len(known) < 2:
        return
    first, last = known[0], known[-1]
    span_ms, grown_mb, threads = (
        number_in(last, name) - number_in(first, name) for name in ("t-ms", "rss-mb", "threads")
    )
    if span_ms <= 0:
        return
    when = f"in the last {span_ms:,.0f} ms"
    if abs(grown_mb) < 1:
        yield f"memory did not change {when}"
        return
    more = f" and {show_plural(threads, 'thread')}" if threads > 0 and grown_mb > 0 else ""
    moved = "grew" if grown_mb > 0 else "shrank"
    yield f"memory {moved} by {_megabytes(abs(grown_mb) * (1 << 20))}{more} {when}"


def _usage(cell: Cell, inside: Evidence) -> Iterator[str]:
    """Yield the memory and CPU of a cell that timed out, and long throttling."""
    if cell.outcome.is_timeout and cell.peak_rss_mb:
        yield f"at most {show_bytes(cell.peak_rss_mb * (1 << 20))} of resident memory"
    busy = cell.evidence.get("cpu-pct")
    if cell.outcome.is_timeout and isinstance(busy, int | float):
        yield f"its workers used {busy / 100:.2f} CPU"
    throttled_ms = number_in(inside, "throttled-ms")
    if throttled_ms >= _THROTTLED_MS:
        yield f"throttled by its CPU quota for {throttled_ms / 1000:,.1f} s"


def _last_line(cell: Cell) -> Iterator[str]:
    tail = cell.evidence.get("stderr-tail")
    if cell.outcome is not Outcome.CRASH or not _is_list(tail):
        return
    lines = [line for each in tail if (line := str(each).strip())]
    if lines:
        yield f"last line on stderr: “{lines[-1][:_LONGEST_QUOTE]}”"


def _megabytes(value: float) -> str:
    return f"{show_count(value / 1e6)} MB"


def _map_in(evidence: Evidence, key: str) -> Evidence:
    value = evidence.get(key)
    return value if isinstance(value, dict) else {}


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)
