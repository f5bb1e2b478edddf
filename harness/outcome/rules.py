"""The rules that decide a cell's outcome and its reason, in a fixed order."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from harness.model.nouns import Caps, Load, Outcome
from harness.model.text import one_line
from harness.model.units import show_count
from harness.outcome.causes import find_exhausted, find_full_disk, killed_for_memory, timed_out
from harness.outcome.contradiction import find_contradiction
from harness.outcome.disturbance import find_host_disturbance, find_idle_lag
from harness.outcome.observation import Observation
from harness.outcome.protocol import cut_text

_STOPPED_CODES = {130, 143}
_KILLED_CODE = 128 + signal.SIGKILL
_LARGEST_PAGE_BYTES = 64 << 10
_LONGEST_REASON = 300
_LONGEST_LIST = 200
_LONGEST_SAMPLE = 200

# Too little CPU can cause these. The box's memory, threads and files do not depend on the host's load.
_SHAPED_BY_CPU = {
    Outcome.OK,
    Outcome.ERRORS,
    Outcome.TIMEOUT_PROGRESSING,
    Outcome.TIMEOUT_STALLED,
}

Decision = tuple[Outcome, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """The input of each rule: the observation and the request."""

    observation: Observation
    caps: Caps
    sessions: int
    load: Load | None
    arm: str


def decide(
    observation: Observation,
    caps: Caps,
    sessions: int,
    *,
    attempt: int = 0,
    load: Load | None = None,
    arm: str = "",
) -> Decision:
    """Return the outcome of a cell, and the reason.

    The first matching rule decides. Its outcome becomes invalid if too little CPU can cause it
    and the host used that CPU, or if the simulated model was late in the first attempt.

    Args:
        observation: Of the cell.
        caps: As requested.
        sessions: The cell's concurrency.
        attempt: 1 for the second run of an invalid cell, where lateness belongs to the subject.
        load: Of each session; None leaves the RESULT unchecked against it.
        arm: As requested; empty leaves it unchecked.

    Returns:
        The outcome, and the reason (empty for ok).
    """
    case = _Case(observation=observation, caps=caps, sessions=sessions, load=load, arm=arm)
    outcome, text = _apply_rules(case)
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


def _apply_rules(case: _Case) -> Decision:
    rules: tuple[Callable[[_Case], Decision | None], ...] = (
        _engine_at_fault,
        _wrong_box,
        lambda case: timed_out(case.observation, case.caps, case.sessions),
        lambda case: killed_for_memory(case.observation, case.caps),
        _unbelievable,
        _by_result,
        _full_disk,
        _by_exit,
        _by_stderr,
    )
    for rule in rules:
        decision = rule(case)
        if decision is not None:
            return decision
    return Outcome.CRASH, f"exit code {case.observation.exit_code} without a RESULT"


def _engine_at_fault(case: _Case) -> Decision | None:
    error = case.observation.engine_error
    return (Outcome.INVALID, error) if error else None


def _wrong_box(case: _Case) -> Decision | None:
    inside, caps, holds = case.observation.output.caps, case.caps, case.observation.holds
    if inside is None:
        return None
    readings = (  # name, read inside, requested, rounding by the kernel
        ("cpus", inside.cpus, caps.cpus, 0.001),
        ("memory", inside.memory_bytes, caps.memory_bytes, _LARGEST_PAGE_BYTES),
        ("swap", inside.swap_bytes, 0, 0),
        ("pids", inside.pids, caps.pids, 0),
    )
    for name, read, requested, rounding in readings:
        is_unknown = name == "swap" and read is None  # not accounted: the box warns of it
        is_open = requested is None  # a limit that protects the host is no cap
        if name in holds and not (is_unknown or is_open or _is_near(read, requested, rounding)):
            reason = f"the box does not enforce its caps: {name} {read}, not {requested}"
            return Outcome.INVALID, reason
    if "network" in holds and set(inside.network or ()) - {"lo"}:
        interfaces = cut_text(", ".join(inside.network or ()), _LONGEST_LIST)
        return Outcome.INVALID, f"the box has a network: {interfaces}"
    return None


def _is_near(read: float | None, requested: float | None, rounding: float) -> bool:
    return read is not None and requested is not None and abs(read - requested) <= rounding


def _unbelievable(case: _Case) -> Decision | None:
    faults = case.observation.output.faults
    if faults:
        return Outcome.INVALID, faults[0]
    contradiction = find_contradiction(case.observation, case.sessions, case.load, case.arm)
    return (Outcome.INVALID, contradiction) if contradiction else None


def _by_result(case: _Case) -> Decision | None:
    result = case.observation.output.result
    if result is None:
        return None
    if result.errors == 0:
        return Outcome.OK, ""
    failed = f"{show_count(result.errors)} of {show_count(case.sessions)} sessions failed"
    sample = result.err_sample or "no message"
    if full := find_full_disk(sample):
        return Outcome.INVALID, full
    worker_exit = case.observation.output.worker_exit
    return find_exhausted(sample, worker_exit, case.caps, failed) or (
        Outcome.ERRORS,
        f"{failed}: {sample[:_LONGEST_SAMPLE]}",
    )


def _full_disk(case: _Case) -> Decision | None:
    """Return invalid for a worker that ended by itself because the host's disk is full."""
    full = find_full_disk(_stderr(case.observation))
    return (Outcome.INVALID, full) if full and not _is_killed(case.observation) else None


def _by_exit(case: _Case) -> Decision | None:
    """Decide by the exit code, except for an abort or a failure, which standard error explains."""
    worker_exit, code = case.observation.output.worker_exit, case.observation.exit_code
    if worker_exit is None and code in _STOPPED_CODES:
        return Outcome.INVALID, f"stopped from outside: exit code {code}"
    if worker_exit is None and code == _KILLED_CODE:
        return Outcome.INVALID, f"killed from outside: exit code {code}"
    if worker_exit is not None and _is_killed(case.observation):
        return Outcome.CRASH, f"killed by signal {worker_exit.signal}, not for memory"
    if code == 0:
        return Outcome.CRASH, "it exited 0 without a RESULT"
    return None


def _by_stderr(case: _Case) -> Decision | None:
    stderr, worker_exit = _stderr(case.observation), case.observation.output.worker_exit
    return find_exhausted(stderr, worker_exit, case.caps, "the worker ended")


def _is_killed(observation: Observation) -> bool:
    """Return whether a signal other than an abort ended the worker, whatever it had logged."""
    worker_exit = observation.output.worker_exit
    return worker_exit is not None and worker_exit.signal not in {None, 0, signal.SIGABRT}


def _stderr(observation: Observation) -> str:
    worker_exit = observation.output.worker_exit
    tail = worker_exit.stderr_tail if worker_exit is not None else ()
    return "\n".join((*observation.stderr, *tail))
