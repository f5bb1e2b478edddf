"""What the end of a cell is known by, in one sentence: who ended it, what the kernel counted, how far it was, what it did last."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from harness.model.cells import Cell
from harness.model.nouns import Outcome
from harness.model.units import show_bytes, show_count, show_plural
from harness.outcome.causes import name_thread_limit

_MEGA = 1e6
_LONGEST_WORDS = 160
_THROTTLED_MS = 1000.0

_COUNTED = (
    ("pids-peak", "pids", "pids-max", "allowed"),
    ("peak-threads", "threads", "max-map-count", "mappings allowed"),
)

Seen = Mapping[str, object]


def tell_end(cell: Cell) -> str:
    """Return the evidence of how a cell ended, one sentence without its full stop; empty where there is none.

    What was not seen is left out, and so is what the cell's reason says already.

    Args:
        cell: With its evidence, as it is stored.
    """
    inside, box = _map(cell.evidence, "supervisor"), _map(cell.evidence, "box")
    parts = (
        *_memory(cell, inside, box),
        *_refused(inside),
        *_peaks(cell, inside),
        *_signal(cell, inside),
        *(_done(cell, inside) if cell.result is None else ()),
        *(_last_samples(inside) if cell.result is None else ()),  # else it came to its end
        *_busy(cell, inside),
        *_last_words(cell),
    )
    return ", ".join(part for part in parts if part not in cell.reason)


def thread_limit(cell: Cell) -> str:
    """Name the limit that stopped a thread or a process of the cell from starting; empty where none was near its end."""
    found = name_thread_limit(_map(cell.evidence, "supervisor"))
    return found[0] if found else ""


def _memory(cell: Cell, inside: Seen, box: Seen) -> Iterator[str]:
    """Tell how often the kernel killed for memory, and how much there was of it at most."""
    at_kill = _number(box, "memory-at-kill-bytes")
    if at_kill:
        yield f"killed at {_megabytes(at_kill)}"
        return
    kills = _number(inside, "oom-kills") or _number(box, "oom-kills")
    peak = _number(inside, "memory-peak-bytes") or _number(box, "memory-peak-bytes")
    if kills:
        yield f"oom_kill {show_count(kills)}{f' at {_megabytes(peak)}' if peak else ''}"
    elif cell.outcome is Outcome.OOM and peak:
        yield f"memory peaked at {_megabytes(peak)}"


def _refused(inside: Seen) -> Iterator[str]:
    if refused := _number(inside, "pids-refused"):
        yield f"the kernel refused a thread or a process {show_plural(refused, 'time')}"


def _peaks(cell: Cell, inside: Seen) -> Iterator[str]:
    """Tell the peak of what ran out, beside what there was of it."""
    if cell.outcome is Outcome.THREADS:
        for name, noun, limit, allowed in _COUNTED:
            peak, most = _number(inside, name), _number(inside, limit)
            if peak and most:
                yield f"{show_count(peak)} {noun} with {show_count(most)} {allowed}"
            if most and peak >= most:
                return
    if cell.outcome is Outcome.FDS and (peak := _number(inside, "peak-fds")):
        most = _number(inside, "nofile")
        yield f"{show_count(peak)} open files{f' of {show_count(most)}' if most else ''}"


def _signal(cell: Cell, inside: Seen) -> Iterator[str]:
    number = _number(inside, "signal")
    if cell.outcome is Outcome.CRASH and (number or cell.exit_code):
        yield f"signal {number:g}" if number else f"exit code {cell.exit_code}"


def _done(cell: Cell, inside: Seen) -> Iterator[str]:
    if cell.sessions_done is None:
        return
    yield f"{show_count(cell.sessions_done)} of {show_count(cell.slot.level)} sessions done"
    tokens = _number(inside, "deltas")
    if tokens and not cell.sessions_done:
        yield f"{show_count(tokens)} tokens delivered"


def _last_samples(inside: Seen) -> Iterator[str]:
    """Tell what memory and threads did in the last quarter of a second that the supervisor saw."""
    samples = inside.get("last-samples")
    known = [each for each in samples if isinstance(each, dict)] if _is_list(samples) else []
    if len(known) < 2:
        return
    first, last = known[0], known[-1]
    span_ms = _number(last, "t-ms") - _number(first, "t-ms")
    if span_ms <= 0:
        return
    grown_mb = _number(last, "rss-mb") - _number(first, "rss-mb")
    threads = _number(last, "threads") - _number(first, "threads")
    last_ms = f"the last {span_ms:,.0f} ms"
    if abs(grown_mb) < 1:
        yield f"its memory stood still in {last_ms}"
        return
    more = f" and {show_plural(threads, 'thread')}" if threads > 0 and grown_mb > 0 else ""
    moved = "grew" if grown_mb > 0 else "shrank"
    yield f"{last_ms} {moved} by {_megabytes(abs(grown_mb) * (1 << 20))}{more}"


def _busy(cell: Cell, inside: Seen) -> Iterator[str]:
    """Tell what a cell that ran out of time did with its memory and its CPU, and how long its quota held it back."""
    if cell.outcome.is_timeout and cell.peak_rss_mb:
        yield f"at most {show_bytes(cell.peak_rss_mb * (1 << 20))} resident"
    busy = cell.evidence.get("cpu-pct")
    if cell.outcome.is_timeout and isinstance(busy, int | float):
        yield f"its workers used {busy / 100:.2f} CPU"
    throttled_ms = _number(inside, "throttled-ms")
    if throttled_ms >= _THROTTLED_MS:
        yield f"held back by its quota for {throttled_ms / 1000:,.1f} s"


def _last_words(cell: Cell) -> Iterator[str]:
    if cell.outcome is not Outcome.CRASH:
        return
    tail = cell.evidence.get("stderr-tail")
    said = [str(line).strip() for line in tail] if _is_list(tail) else []
    words = next((line for line in reversed(said) if line), "")
    if words:
        yield f"its last words “{words[:_LONGEST_WORDS]}”"


def _megabytes(value: float) -> str:
    return f"{show_count(value / _MEGA)} MB"


def _map(evidence: Seen, key: str) -> Seen:
    value = evidence.get(key)
    return value if isinstance(value, dict) else {}


def _number(evidence: Seen, key: str) -> float:
    value = evidence.get(key)
    return value if isinstance(value, int | float) else 0


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)
