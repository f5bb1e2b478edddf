"""How a cell ended: the rules that turn what was observed into one outcome and its reason, in a fixed order."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from harness.disturbance import host_evidence, host_trouble, idle_lag
from harness.model import HOLDABLE, Caps, Outcome
from harness.protocol import Death, ProbeOutput, ProgressLine
from harness.units import show_bytes, show_count, show_seconds

_NO_THREAD = ("can't start new thread", "unable to create native thread")
_STOPPED_CODES = {130, 143}  # the supervisor was asked to stop, and not by us
_LARGEST_PAGE_BYTES = 64 << 10
_QUIET_MS = 2500  # PROGRESS comes once a second, and a container takes a moment to start
_NO_FD = "Too many open files"
_NEAR = 0.9  # of a limit: what was held is sampled

# What comes of too little CPU. The box's own memory, threads and descriptors do not run out sooner on a busy host.
_SHAPED_BY_CPU = {
    Outcome.OK,
    Outcome.ERRORS,
    Outcome.TIMEOUT_PROGRESSING,
    Outcome.TIMEOUT_STALLED,
}

MAPS_A_THREAD = 65_530 / 22_400
"""Mappings that go with a thread: as many threads as a process was seen to start with so many mappings."""

Decision = tuple[Outcome, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that was seen of one cell.

    Args:
        output: What the probe printed.
        stderr: The last lines of what the container wrote to standard error.
        exit_code: As the engine gives it; None when it knows none.
        oom_killed: The box says that something in the cell was killed for memory.
        oom_witness: How the box knows.
        timed_out: We killed it, at its time limit.
        engine_error: What the engine said when the cell could not be run as asked; empty otherwise.
        wall_s: From start to end, in seconds.
        stdout: The raw output, for the log.
        holds: Which of `HOLDABLE` the box holds for certain, so that what is read inside has to be what was asked for.
        box_evidence: What the box saw of the cell from outside, by the names of the record.
    """

    output: ProbeOutput
    exit_code: int | None
    wall_s: float
    oom_killed: bool = False
    oom_witness: str = "the engine reports OOMKilled"
    timed_out: bool = False
    engine_error: str = ""
    stderr: tuple[str, ...] = ()
    stdout: str = ""
    holds: tuple[str, ...] = HOLDABLE
    box_evidence: Mapping[str, object] = field(default_factory=dict)


def decide(seen: Observation, caps: Caps, sessions: int, *, attempt: int = 0) -> Decision:
    """Name the outcome of a cell, and in a phrase what it rests on.

    The first rule that applies decides: was the box what was asked for, did we kill it, what the supervisor saw in the cgroup, the engine's flag, the RESULT, the
    exit code, the text of standard error. What it decides is invalid all the same when it may come of too little CPU and the host withheld that, or when the gauge
    itself was late with CPU to spare, the first time.

    Args:
        seen: The observation.
        caps: What was asked for.
        sessions: The cell's concurrency.
        attempt: 1 for the second run of an invalid cell, in which lateness is the subject's.

    Returns:
        The outcome, and the reason (empty for ok).
    """
    outcome, reason = _by_rules(seen, caps, sessions)
    if outcome not in _SHAPED_BY_CPU:
        return outcome, reason
    doubt = host_trouble(seen.output.progress, caps)
    if not doubt and attempt == 0 and seen.output.result is not None:
        doubt = idle_lag(seen.output.result, caps)
    if not doubt:
        return outcome, reason
    ended = "" if outcome is Outcome.OK else f"; it ended as {outcome}"
    return Outcome.INVALID, f"{doubt}{ended}"


def _by_rules(seen: Observation, caps: Caps, sessions: int) -> Decision:
    rules: tuple[Callable[[Observation, Caps, int], Decision | None], ...] = (
        _engine_at_fault,
        _caps_not_held,
        _timeout,
        _killed_for_memory,
        _unreadable,
        _by_result,
        _by_exit,
        _by_words,
    )
    for rule in rules:
        decision = rule(seen, caps, sessions)
        if decision is not None:
            return decision
    return Outcome.CRASH, f"exit code {seen.exit_code} without a RESULT"


def evidence_of(seen: Observation) -> dict[str, object]:
    """Return what a decision rests on, by source, for the record."""
    death = seen.output.death
    evidence: dict[str, object] = {
        "exit-code": seen.exit_code,
        "engine-oom-killed": seen.oom_killed,
        "timed-out": seen.timed_out,
    }
    evidence |= {"box": dict(seen.box_evidence)} if seen.box_evidence else {}
    evidence |= {"engine-error": seen.engine_error} if seen.engine_error else {}
    if seen.output.faults or seen.output.torn:
        evidence["protocol-faults"] = [*seen.output.faults, *seen.output.torn]
    if seen.output.caps is not None:
        evidence["caps-read-inside"] = {
            "cpus": seen.output.caps.cpus,
            "memory-bytes": seen.output.caps.memory_bytes,
            "swap-bytes": seen.output.caps.swap_bytes,
            "pids": seen.output.caps.pids,
            "network": seen.output.caps.network,
        }
    if host := host_evidence(seen.output.progress):
        evidence["host"] = host
    busy = [line.cpu_pct for line in seen.output.progress if line.cpu_pct is not None]
    if busy:
        evidence["cpu-pct"] = median(busy)  # of one processor, as a rule over its seconds
    if death is not None:
        evidence["supervisor"] = {"cause": death.cause, "signal": death.signal, **death.evidence}
    if seen.output.result is None and seen.stderr:
        evidence["stderr-tail"] = list(seen.stderr[-10:])
    return evidence


def sessions_done(seen: Observation) -> int | None:
    """Return how many sessions had ended when the cell was last heard of."""
    if seen.output.result is not None:
        return seen.output.result.ok + seen.output.result.errors
    death = seen.output.death
    if death is not None and isinstance(death.evidence.get("sessions-done"), int):
        return int(death.evidence["sessions-done"])
    return seen.output.progress[-1].done if seen.output.progress else None


def _engine_at_fault(seen: Observation, _caps: Caps, _sessions: int) -> Decision | None:
    return (Outcome.INVALID, seen.engine_error) if seen.engine_error else None


def _timeout(seen: Observation, caps: Caps, sessions: int) -> Decision | None:
    if not seen.timed_out:
        return None
    limit = f"{show_seconds(caps.timeout_s)} timeout"
    done = f"{show_count(sessions_done(seen) or 0)} of {show_count(sessions)} sessions done"
    moving = _is_moving(seen)
    kind = Outcome.TIMEOUT_PROGRESSING if moving else Outcome.TIMEOUT_STALLED
    return kind, f"{limit}, {'' if moving else 'stalled, '}{done}"


def _is_moving(seen: Observation) -> bool:
    """Whether sessions or tokens still arrived at the end: in the last quarter of the cell's time, or what of it can be told."""
    wall_ms = seen.wall_s * 1000
    since_ms = wall_ms - max(wall_ms / 4, _QUIET_MS)
    progress = seen.output.progress
    if not progress or progress[-1].t_ms < since_ms:
        return False
    last = progress[-1]
    before = [ProgressLine(), *(line for line in progress if line.t_ms <= since_ms)][-1]
    return (last.done, last.deltas or 0) != (before.done, before.deltas or 0)


def _caps_not_held(seen: Observation, caps: Caps, _sessions: int) -> Decision | None:
    inside = seen.output.caps
    if inside is None:
        return None
    read = (  # what, as read inside, as asked for, and what the kernel may round it by
        ("cpus", inside.cpus, caps.cpus, 0.001),
        ("memory", inside.memory_bytes, caps.memory_bytes, _LARGEST_PAGE_BYTES),
        ("swap", inside.swap_bytes, 0, 0),
        ("pids", inside.pids, caps.pids, 0),
    )
    for name, found, asked, rounding in read:
        unheard = name == "swap" and found is None  # not accounted: the box warns of it
        if name in seen.holds and not unheard and not _is_near(found, asked, rounding):
            return Outcome.INVALID, f"the box does not hold its caps: {name} {found}, not {asked}"
    if "network" in seen.holds and set(inside.network or ()) - {"lo"}:
        return Outcome.INVALID, f"the box has a network: {', '.join(inside.network or ())}"
    return None


def _is_near(found: float | None, asked: float | None, rounding: float) -> bool:
    if found is None or asked is None:
        return found is asked
    return abs(found - asked) <= rounding


def _killed_for_memory(seen: Observation, caps: Caps, _sessions: int) -> Decision | None:
    death = seen.output.death
    by_cgroup = death is not None and death.cause == "oom"
    if not by_cgroup and not seen.oom_killed:
        return None
    if death is not None and "memory" in seen.holds and _is_below_its_cap(death):
        return Outcome.INVALID, "the host ran out of memory: the box itself was below its cap"
    witness = "its cgroup's oom_kill rose" if by_cgroup else seen.oom_witness
    return Outcome.OOM, f"out of memory at {show_bytes(caps.memory_bytes)}, {witness}"


def _is_below_its_cap(death: Death) -> bool:
    """Whether a kill for memory came when the cgroup had not reached its limit, and so from outside of it."""
    peak, limit = death.evidence.get("memory-peak-bytes"), death.evidence.get("memory-max-bytes")
    return isinstance(peak, int) and isinstance(limit, int) and peak < limit * 0.95


def _unreadable(seen: Observation, _caps: Caps, _sessions: int) -> Decision | None:
    return (Outcome.INVALID, seen.output.faults[0]) if seen.output.faults else None


def _by_result(seen: Observation, _caps: Caps, sessions: int) -> Decision | None:
    result = seen.output.result
    if result is None:
        return None
    if result.c != sessions or result.ok + result.errors != sessions:
        counted = f"C={result.c}, ok={result.ok}, errors={result.errors}"
        return Outcome.INVALID, f"its RESULT does not add up to {sessions} sessions: {counted}"
    if result.errors == 0:
        return Outcome.OK, ""
    failed = f"{show_count(result.errors)} of {show_count(sessions)} sessions failed"
    sample = result.err_sample or "no message"
    return _resource(sample, seen.output.death, failed) or (
        Outcome.ERRORS,
        f"{failed}: {sample[:200]}",
    )


def _by_words(seen: Observation, _caps: Caps, _sessions: int) -> Decision | None:
    death = seen.output.death
    said = "\n".join((*seen.stderr, *(death.stderr_tail if death else ())))
    return _resource(said, death, "the worker ended")


def _by_exit(seen: Observation, _caps: Caps, _sessions: int) -> Decision | None:
    """Believe the code, but for an abort and an ordinary failure, whose reason is in what was said."""
    death = seen.output.death
    if death is None and seen.exit_code in _STOPPED_CODES:
        return Outcome.INVALID, f"somebody stopped it: exit code {seen.exit_code}"
    if death is not None and death.signal not in {None, 0, signal.SIGABRT}:
        return Outcome.CRASH, f"killed by signal {death.signal}, and not for memory"
    if seen.exit_code == 0:
        return Outcome.CRASH, "it exited 0 without a RESULT"
    return None


def _resource(said: str, death: Death | None, failed: str) -> Decision | None:
    if any(words in said for words in _NO_THREAD):
        return Outcome.THREADS, f"{_thread_limit(death)}, {failed}"
    if _NO_FD in said:
        return Outcome.FDS, f"open files ran out, {failed}"
    return None


def _thread_limit(death: Death | None) -> str:
    """Name the limit that stopped a thread from starting: of those that were near their end the nearest."""
    seen = death.evidence if death is not None else {}

    def number(key: str) -> int:
        value = seen.get(key)
        return value if isinstance(value, int) else 0

    limits = (
        ("pids limit", number("pids-max"), number("pids-peak")),
        ("vm.max_map_count", number("max-map-count"), number("peak-threads") * MAPS_A_THREAD),
        ("kernel.pid_max", number("pid-max"), number("peak-threads")),
        ("kernel.threads-max", number("threads-max"), number("peak-threads")),
    )
    near = [(used / limit, name, limit) for name, limit, used in limits if limit]
    share, name, limit = max(near, default=(0.0, "", 0))
    if share < _NEAR:
        return "native threads ran out, at no limit that is known"
    return f"native threads ran out at the {name} of {show_count(limit)}"
