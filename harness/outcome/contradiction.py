"""A RESULT held against what was asked for, against itself, and against what the box saw of the cell from outside."""

from collections.abc import Iterable, Iterator

from msgspec import structs

from harness.model.cells import Result
from harness.model.nouns import Load
from harness.model.units import show_bytes, show_count, show_seconds
from harness.outcome.observation import Observation

# Each allowance is for what an honest probe's figures differ by; what is caught is what no honest probe could say.
_EARLY = (
    0.95  # of the model's own pacing: a mock is late, but for the grain of a timer never early
)
_ROUNDED = 0.02  # a ratio is printed with its own digits, by a probe of any language
_LEAST_MB = 64.0  # the supervisor, and what the worker shares with it
_LEAST_THREADS = 32
_SHARD_THREADS = 4
_START_CPU_S = 1.0  # the supervisor's start, and what comes before the sessions and after them
_SHARD_CPU_S = 0.5
_WATCH_SHARE = 0.1  # of a CPU, which a supervisor may take to watch very many threads
_LATEST_MS = 500.0


def find_contradiction(seen: Observation, sessions: int, load: Load | None, arm: str) -> str:
    """Say in what a RESULT contradicts what is known besides it; empty where there is none, or nothing to hold it against.

    What is absent is not checked: figures that the probe left out, and what the box did not see.

    Args:
        seen: The observation.
        sessions: The cell's concurrency.
        load: What each session was to do; None leaves that unchecked.
        arm: What was to be driven; empty leaves that unchecked.
    """
    result = seen.output.result
    if result is None:
        return ""
    return (
        _not_of_the_order(result, seen.exit_code, sessions, arm)
        or _told("what was asked for", (*_absurd(result), *_against_load(result, load)))
        or _told("itself", _against_itself(result))
        or _told("what was seen from outside", _against_box(result, seen))
    )


def _told(what: str, found: Iterable[str]) -> str:
    first = next(iter(found), "")
    return first and f"its RESULT contradicts {what}: {first}"


def _not_of_the_order(result: Result, exit_code: int | None, sessions: int, arm: str) -> str:
    """Say in what a RESULT is none of the cell's own."""
    if exit_code not in {0, None}:  # a supervisor that has printed one has nothing left to fail at
        return f"it printed a RESULT, and then ended with exit code {exit_code}"
    if result.c != sessions or result.ok + result.errors != sessions:
        counted = f"C={result.c}, ok={result.ok}, errors={result.errors}"
        return f"its RESULT does not add up to {show_count(sessions)} sessions: {counted}"
    if arm and result.arm != arm:
        return f"its RESULT is of another arm: {result.arm[:40]!r}, not {arm}"
    return ""


def _absurd(result: Result) -> Iterator[str]:
    for name, value in structs.asdict(result).items():
        if isinstance(value, int | float) and value < 0:
            yield f"{name} is {value:g}"


def _against_load(result: Result, load: Load | None) -> Iterator[str]:
    if load is None:
        return
    turns = result.ok * load.turns
    if result.turns_total not in {None, turns}:
        yield f"{result.turns_total:,} turns, where {turns:,} were asked for"
    nominal = load.nominal_turn_ms
    if result.nominal_turn_ms is not None and abs(result.nominal_turn_ms - nominal) > 0.5:
        yield f"a turn of {result.nominal_turn_ms:g} ms, where {nominal} ms were asked for"
    tokens = turns * load.tokens
    if result.deltas is not None and not _is_delivered(result, tokens):
        yield f"{result.deltas:,} tokens delivered, where {tokens:,} were asked for"
    least_ms = _EARLY * load.turns * nominal - 1
    for name, value in (("wall time", result.wall_ms), ("median session", result.p50_session_ms)):
        if result.ok and value is not None and value < least_ms:
            yield f"a {name} of {value:,.0f} ms, where the model alone takes {load.turns * nominal:,} ms"


def _is_delivered(result: Result, tokens: int) -> bool:
    """Whether the sessions were given their tokens; those that failed may have had some too."""
    deltas = result.deltas or 0
    return deltas >= tokens if result.errors else deltas == tokens


def _against_itself(result: Result) -> Iterator[str]:
    p50, p99, wall = result.p50_session_ms, result.p99_session_ms, result.wall_ms
    if p50 is not None and p99 is not None and p50 > p99:
        yield f"the median session took {p50:,.0f} ms, and 99 in 100 no more than {p99:,.0f} ms"
    if p99 is not None and wall is not None and p99 > wall * (1 + _ROUNDED) + 1:
        yield f"sessions of {p99:,.0f} ms in a wall time of {wall:,.0f} ms"
    cpu_ms = None if result.cpu_sec is None else result.cpu_sec * 1000
    rss_kb = None if result.peak_rss_mb is None else result.peak_rss_mb * 1024
    nominal = (result.nominal_turn_ms or 0) * (result.turns_total or 0) / max(result.ok, 1)
    for name, claimed, amount, over, digit in (  # and what the amount may have been rounded by
        ("cpu-ms/turn", result.cpu_ms_per_turn, cpu_ms, result.turns_total, 10.0),
        ("rss-kb/sess", result.rss_kb_per_session, rss_kb, result.c, 1024.0),
        ("latency-infl", result.latency_infl, p50, nominal, 1.0),
    ):
        if claimed is None or amount is None or not over:
            continue
        allowed = digit / over + _ROUNDED * (claimed + amount / over) + 0.01
        if abs(claimed - amount / over) > allowed:
            yield f"{name} {claimed:g}, which its own figures make {amount / over:.4g}"


def _against_box(result: Result, seen: Observation) -> Iterator[str]:
    if result.wall_ms is not None and result.wall_ms > seen.wall_s * 1000 + _LATEST_MS:
        took = show_seconds(seen.wall_s)
        yield f"a wall time of {show_seconds(result.wall_ms / 1000)} in a cell of {took}"
    if not result.errors:  # else what children held, which the probe does not count, may be why
        yield from _against_usage(result, seen)


def _against_usage(result: Result, seen: Observation) -> Iterator[str]:
    procs = result.procs or 1
    cpu_ms = _number(seen, "cpu-ms")
    if cpu_ms is not None and result.cpu_sec is not None:
        besides_s = _START_CPU_S + _SHARD_CPU_S * procs + _besides_s(result, seen)
        if result.cpu_sec * 2 < cpu_ms / 1000 - besides_s:
            yield f"{result.cpu_sec:.1f} s of CPU, where the box used {cpu_ms / 1000:.1f} s"
    pids = _number(seen, "pids-peak")
    if pids is not None and result.peak_threads is not None:
        besides = _LEAST_THREADS + _SHARD_THREADS * procs
        if result.peak_threads * 2 < pids - besides:
            yield f"{result.peak_threads:,} threads at most, where the box had {pids:,.0f}"
    rss_bytes = _number(seen, "rss-peak-bytes")
    if rss_bytes is not None and result.peak_rss_mb is not None:
        claimed_bytes = result.peak_rss_mb * (1 << 20)
        if claimed_bytes * 2 < rss_bytes - _LEAST_MB * (1 << 20):
            yield f"{show_bytes(claimed_bytes)} of memory at most, where the box had {show_bytes(rss_bytes)}"


def _besides_s(result: Result, seen: Observation) -> float:
    """Return the processor time that the sessions have no part in: what the supervisor took, and one CPU for as long as they had not begun or were over.

    A supervisor hands on all that is printed, which may cost several times what printing does.
    """
    told_ms = [line.supervisor_cpu_ms for line in seen.output.progress if line.supervisor_cpu_ms]
    supervisor_s = max(told_ms, default=0.0) / 1000 or _WATCH_SHARE * seen.wall_s
    sessions_s = seen.wall_s if result.wall_ms is None else result.wall_ms / 1000
    return supervisor_s + max(0.0, seen.wall_s - sessions_s)


def _number(seen: Observation, key: str) -> float | None:
    value = seen.box_evidence.get(key)
    return value if isinstance(value, int | float) else None
