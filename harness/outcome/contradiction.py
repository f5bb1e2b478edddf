"""Contradictions of a RESULT with the request, itself, or the box's measurements.

Each allowance covers the differences between honest probes; only impossible figures are reported.
"""

from collections.abc import Iterable, Iterator

from harness.model.cells import Result
from harness.model.nouns import Load
from harness.model.units import show_bytes, show_count, show_seconds
from harness.outcome.observation import Observation, number_in

_EARLY = 0.95  # of the model's pacing: a mock is often late, and early only by a timer's grain
_ROUNDED = 0.02  # a probe of any language rounds its ratios
_START_MB = 64.0  # the supervisor, and pages that the worker shares with it
_START_THREADS = 32
_SHARD_THREADS = 4
_START_CPU_S = 1.0  # the supervisor's start, and work before and after the sessions
_SHARD_CPU_S = 0.5
_WATCH_SHARE = 0.1  # of a CPU, for a supervisor that samples very many threads
_LATEST_MS = 500.0


def find_contradiction(
    observation: Observation, sessions: int, load: Load | None, arm: str
) -> str:
    """Return a sentence about an impossible RESULT; empty for a possible one.

    Figures that the probe or the box did not report are not checked.

    Args:
        observation: Of the cell.
        sessions: The cell's concurrency.
        load: As requested; None skips this check.
        arm: As requested; empty skips this check.
    """
    result = observation.output.result
    if result is None:
        return ""
    return (
        _identity(result, observation.exit_code, sessions, arm)
        or _first("the request", _against_load(result, load))
        or _first("itself", _against_itself(result))
        or _first("the box", _against_box(result, observation))
    )


def _first(source: str, contradictions: Iterable[str]) -> str:
    first = next(iter(contradictions), "")
    return first and f"its RESULT contradicts {source}: {first}"


def _identity(result: Result, exit_code: int | None, sessions: int, arm: str) -> str:
    """Return a sentence about a RESULT that does not belong to the cell."""
    if exit_code not in {0, None}:  # nothing can fail in a supervisor that has printed its RESULT
        return f"it printed a RESULT, then ended with exit code {exit_code}"
    if result.c != sessions or result.ok + result.errors != sessions:
        counts = f"C={result.c}, ok={result.ok}, errors={result.errors}"
        return f"its RESULT does not add up to {show_count(sessions)} sessions: {counts}"
    if arm and result.arm != arm:
        return f"its RESULT is of another arm: {result.arm[:40]!r}, not {arm}"
    return ""


def _against_load(result: Result, load: Load | None) -> Iterator[str]:
    if load is None:
        return
    turns = result.ok * load.turns
    if result.turns_total not in {None, turns}:
        yield f"{result.turns_total:,} turns, {turns:,} requested"
    nominal = load.nominal_turn_ms
    if result.nominal_turn_ms is not None and abs(result.nominal_turn_ms - nominal) > 0.5:
        yield f"a turn of {result.nominal_turn_ms:g} ms, {nominal} ms requested"
    tokens = turns * load.tokens
    if result.deltas is not None and not _is_delivered(result, tokens):
        yield f"{result.deltas:,} tokens delivered, {tokens:,} requested"
    model_ms = load.turns * nominal
    for name, value in (("wall time", result.wall_ms), ("median session", result.p50_session_ms)):
        if result.ok and value is not None and value < _EARLY * model_ms - 1:
            yield f"a {name} of {value:,.0f} ms, but the model alone takes {model_ms:,} ms"


def _is_delivered(result: Result, tokens: int) -> bool:
    """Return whether the ok sessions got all tokens; failed ones may have got some."""
    deltas = result.deltas or 0
    return deltas >= tokens if result.errors else deltas == tokens


def _against_itself(result: Result) -> Iterator[str]:
    p50, p99, wall = result.p50_session_ms, result.p99_session_ms, result.wall_ms
    if p50 is not None and p99 is not None and p50 > p99:
        yield f"a median session of {p50:,.0f} ms, but a 99th percentile of {p99:,.0f} ms"
    if p99 is not None and wall is not None and p99 > wall * (1 + _ROUNDED) + 1:
        yield f"sessions of {p99:,.0f} ms in a wall time of {wall:,.0f} ms"
    cpu_ms = None if result.cpu_sec is None else result.cpu_sec * 1000
    rss_kb = None if result.peak_rss_mb is None else result.peak_rss_mb * 1024
    nominal = (result.nominal_turn_ms or 0) * (result.turns_total or 0) / max(result.ok, 1)
    for name, ratio, amount, divisor, digit in (  # digit: the amount's last printed digit
        ("cpu-ms/turn", result.cpu_ms_per_turn, cpu_ms, result.turns_total, 10.0),
        ("rss-kb/sess", result.rss_kb_per_session, rss_kb, result.c, 1024.0),
        ("latency-infl", result.latency_infl, p50, nominal, 1.0),
    ):
        if ratio is None or amount is None or not divisor:
            continue
        own = amount / divisor
        if abs(ratio - own) > digit / divisor + _ROUNDED * (ratio + own) + 0.01:
            yield f"{name} {ratio:g}, but its own figures give {own:.4g}"


def _against_box(result: Result, observation: Observation) -> Iterator[str]:
    if result.wall_ms is not None and result.wall_ms > observation.wall_s * 1000 + _LATEST_MS:
        cell = show_seconds(observation.wall_s)
        yield f"a wall time of {show_seconds(result.wall_ms / 1000)} in a cell of {cell}"
    if not result.errors:  # failed sessions may have left children, which the probe does not count
        yield from _against_usage(result, observation)


def _against_usage(result: Result, observation: Observation) -> Iterator[str]:
    procs, box = result.procs or 1, observation.box_evidence
    cpu_s = number_in(box, "cpu-ms") / 1000
    allowed_s = _START_CPU_S + _SHARD_CPU_S * procs + _overhead_s(result, observation)
    if result.cpu_sec is not None and result.cpu_sec * 2 < cpu_s - allowed_s:
        yield f"{result.cpu_sec:.1f} s of CPU, but the box used {cpu_s:.1f} s"
    pids = number_in(box, "pids-peak")
    threads, allowed = result.peak_threads, _START_THREADS + _SHARD_THREADS * procs
    if threads is not None and threads * 2 < pids - allowed:
        yield f"at most {threads:,} threads, but the box had {pids:,.0f}"
    rss_mb = number_in(box, "rss-peak-bytes") / (1 << 20)
    if result.peak_rss_mb is not None and result.peak_rss_mb * 2 < rss_mb - _START_MB:
        shown, peak = (show_bytes(mb * (1 << 20)) for mb in (result.peak_rss_mb, rss_mb))
        yield f"at most {shown} of memory, but the box had {peak}"


def _overhead_s(result: Result, observation: Observation) -> float:
    """Return the CPU time outside the sessions.

    It is that of the supervisor, and one CPU before and after the sessions. The supervisor may
    use several times as much CPU to forward output as the worker to print it.
    """
    reports = [line.supervisor_cpu_ms for line in observation.output.progress]
    supervisor_s = max((value for value in reports if value), default=0.0) / 1000
    sessions_s = observation.wall_s if result.wall_ms is None else result.wall_ms / 1000
    watching_s = supervisor_s or _WATCH_SHARE * observation.wall_s
    return watching_s + max(0.0, observation.wall_s - sessions_s)
