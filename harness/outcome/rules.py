"""The rules that decide a cell's outcome and its reason, in a fixed order."""

import signal

from harness.model.nouns import Caps, Load, Outcome
from harness.model.text import one_line
from harness.model.units import show_count
from harness.outcome.causes import find_exhausted, find_full_disk, killed_for_memory, timed_out
from harness.outcome.contradiction import find_contradiction
from harness.outcome.disturbance import find_host_disturbance, find_idle_lag
from harness.outcome.observation import Observation
from harness.outcome.protocol import WorkerExit, cut_text

_STOPPED_CODES = {130, 143}
_KILLED_CODE = 128 + signal.SIGKILL
_LARGEST_PAGE_BYTES = 64 << 10
_LONGEST_REASON = 300
_LONGEST_LIST = 200
_LONGEST_SAMPLE = 200

# Too little CPU can cause these. Memory, threads and files do not run out sooner on a busy host.
_SHAPED_BY_CPU = {
    Outcome.OK,
    Outcome.ERRORS,
    Outcome.TIMEOUT_PROGRESSING,
    Outcome.TIMEOUT_STALLED,
}

Decision = tuple[Outcome, str]


def decide(
    observation: Observation,
    caps: Caps,
    sessions: int,
    *,
    attempt: int = 0,
    load: Load | None = None,
    arm: str = "",
) -> Decision:
    """Return the outcome of a cell, and the reason (empty for ok).

    The first matching rule decides. Its outcome becomes invalid if too little CPU can cause it
    and the host used that CPU, or if the simulated model was late in the first attempt.

    Args:
        observation: Of the cell.
        caps: As requested.
        sessions: The cell's concurrency.
        attempt: 1 for the second run of an invalid cell, where lateness belongs to the subject.
        load: Of each session; None leaves the RESULT unchecked against it.
        arm: As requested; empty leaves it unchecked.
    """
    outcome, text = _first_match(observation, caps, sessions, load, arm)
    reason = one_line(text, _LONGEST_REASON)  # it may quote the output of a branch or an engine
    if outcome not in _SHAPED_BY_CPU:
        return outcome, reason
    result = observation.output.result
    doubt = find_host_disturbance(observation.output.progress, caps)
    if not doubt and attempt == 0 and result is not None:
        doubt = find_idle_lag(result, caps)
    if not doubt:
        return outcome, reason
    return Outcome.INVALID, doubt if outcome is Outcome.OK else f"{doubt}; it ended as {outcome}"


def _first_match(
    observation: Observation, caps: Caps, sessions: int, load: Load | None, arm: str
) -> Decision:
    """Return the decision of the first rule that has one."""
    output, stderr = observation.output, _stderr(observation)
    return (
        _invalid(observation.engine_error)
        or _invalid(_wrong_box(observation, caps))
        or timed_out(observation, caps, sessions)
        or killed_for_memory(observation, caps)
        or _invalid(next(iter(output.faults), ""))
        or _invalid(find_contradiction(observation, sessions, load, arm))
        or _by_result(observation, caps, sessions)
        or _invalid("" if _is_killed(output.worker_exit) else find_full_disk(stderr))
        or _by_exit(output.worker_exit, observation.exit_code)
        or find_exhausted(stderr, output.worker_exit, caps, "the worker ended")
        or (Outcome.CRASH, f"exit code {observation.exit_code} without a RESULT")
    )


def _invalid(reason: str) -> Decision | None:
    return (Outcome.INVALID, reason) if reason else None


def _wrong_box(observation: Observation, caps: Caps) -> str:
    inside, holds = observation.output.caps, observation.holds
    if inside is None:
        return ""
    readings = (  # name, read inside, requested, rounding by the kernel
        ("cpus", inside.cpus, caps.cpus, 0.001),
        ("memory", inside.memory_bytes, caps.memory_bytes, _LARGEST_PAGE_BYTES),
        ("swap", inside.swap_bytes, 0, 0),
        ("pids", inside.pids, caps.pids, 0),
    )
    for name, read, requested, rounding in readings:
        is_unknown = name == "swap" and read is None  # not accounted: the box warns of it
        if name not in holds or is_unknown or requested is None:  # the default of pids is no cap
            continue
        if read is None or abs(read - requested) > rounding:
            return f"the box does not enforce its caps: {name} {read}, not {requested}"
    if "network" in holds and set(inside.network or ()) - {"lo"}:
        interfaces = cut_text(", ".join(inside.network or ()), _LONGEST_LIST)
        return f"the box has a network: {interfaces}"
    return ""


def _by_result(observation: Observation, caps: Caps, sessions: int) -> Decision | None:
    result = observation.output.result
    if result is None:
        return None
    if result.errors == 0:
        return Outcome.OK, ""
    failed = f"{show_count(result.errors)} of {show_count(sessions)} sessions failed"
    sample = result.err_sample or "no message"
    return (
        _invalid(find_full_disk(sample))
        or find_exhausted(sample, observation.output.worker_exit, caps, failed)
        or (Outcome.ERRORS, f"{failed}: {sample[:_LONGEST_SAMPLE]}")
    )


def _by_exit(worker_exit: WorkerExit | None, code: int | None) -> Decision | None:
    """Decide by the exit code; standard error explains aborts and failures instead."""
    if worker_exit is None and code in _STOPPED_CODES:
        return Outcome.INVALID, f"stopped from outside: exit code {code}"
    if worker_exit is None and code == _KILLED_CODE:
        return Outcome.INVALID, f"killed from outside: exit code {code}"
    if worker_exit is not None and _is_killed(worker_exit):
        return Outcome.CRASH, f"killed by signal {worker_exit.signal}, not for memory"
    return (Outcome.CRASH, "it exited 0 without a RESULT") if code == 0 else None


def _is_killed(worker_exit: WorkerExit | None) -> bool:
    """Return whether a signal other than an abort ended the worker."""
    return worker_exit is not None and worker_exit.signal not in {None, 0, signal.SIGABRT}


def _stderr(observation: Observation) -> str:
    worker_exit = observation.output.worker_exit
    tail = worker_exit.stderr_tail if worker_exit is not None else ()
    return "\n".join((*observation.stderr, *tail))
