"""The rules that turn what was observed of a cell into one outcome and its reason, in a fixed order."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from harness.model.nouns import Caps, Load, Outcome
from harness.model.text import one_line
from harness.model.units import show_count
from harness.outcome.causes import find_full_disk, find_resource, killed_for_memory, timed_out
from harness.outcome.contradiction import find_contradiction
from harness.outcome.disturbance import host_trouble, idle_lag
from harness.outcome.observation import Observation
from harness.outcome.protocol import cut_text

_STOPPED_CODES = {130, 143}  # the supervisor was asked to stop, and not by us
_KILLED_CODE = 128 + signal.SIGKILL
_LARGEST_PAGE_BYTES = 64 << 10
_LONGEST_REASON = 300
_LONGEST_LIST = 200

# What comes of too little CPU. The box's own memory, threads and descriptors do not run out sooner on a busy host.
_SHAPED_BY_CPU = {
    Outcome.OK,
    Outcome.ERRORS,
    Outcome.TIMEOUT_PROGRESSING,
    Outcome.TIMEOUT_STALLED,
}

Decision = tuple[Outcome, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What the rules look at: what was seen, and what had been asked for."""

    seen: Observation
    caps: Caps
    sessions: int
    load: Load | None
    arm: str


def decide(
    seen: Observation,
    caps: Caps,
    sessions: int,
    *,
    attempt: int = 0,
    load: Load | None = None,
    arm: str = "",
) -> Decision:
    """Name the outcome of a cell, and in a phrase what it rests on.

    The first rule that applies decides: was the box what was asked for, did we kill it, what was killed for memory in it, whether its disk was full, whether what it
    printed can be read and believed, the RESULT, the exit code, the text of standard error. What it decides is invalid all the same when it may come of too little CPU and
    the host withheld that, or when the gauge itself was late with CPU to spare, the first time.

    Args:
        seen: The observation.
        caps: What was asked for.
        sessions: The cell's concurrency.
        attempt: 1 for the second run of an invalid cell, in which lateness is the subject's.
        load: What each session was to do; None leaves what the RESULT says of it unchecked.
        arm: What was to be driven; empty leaves that unchecked.

    Returns:
        The outcome, and the reason (empty for ok).
    """
    case = _Case(seen=seen, caps=caps, sessions=sessions, load=load, arm=arm)
    outcome, said = _by_rules(case)
    reason = one_line(said, _LONGEST_REASON)  # it may quote what a branch or an engine said
    if outcome not in _SHAPED_BY_CPU:
        return outcome, reason
    doubt = host_trouble(seen.output.progress, caps)
    if not doubt and attempt == 0 and seen.output.result is not None:
        doubt = idle_lag(seen.output.result, caps)
    if not doubt:
        return outcome, reason
    ended = "" if outcome is Outcome.OK else f"; it ended as {outcome}"
    return Outcome.INVALID, f"{doubt}{ended}"


def _by_rules(case: _Case) -> Decision:
    rules: tuple[Callable[[_Case], Decision | None], ...] = (
        _engine_at_fault,
        _caps_not_held,
        lambda case: timed_out(case.seen, case.caps, case.sessions),
        lambda case: killed_for_memory(case.seen, case.caps),
        _unreadable,
        _unbelievable,
        _by_result,
        _full_disk,
        _by_exit,
        _by_words,
    )
    for rule in rules:
        decision = rule(case)
        if decision is not None:
            return decision
    return Outcome.CRASH, f"exit code {case.seen.exit_code} without a RESULT"


def _engine_at_fault(case: _Case) -> Decision | None:
    return (Outcome.INVALID, case.seen.engine_error) if case.seen.engine_error else None


def _caps_not_held(case: _Case) -> Decision | None:
    inside, caps, holds = case.seen.output.caps, case.caps, case.seen.holds
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
        unasked = name == "pids" and asked is None  # what keeps the host alive is no cap
        if name in holds and not (unheard or unasked) and not _is_near(found, asked, rounding):
            return Outcome.INVALID, f"the box does not hold its caps: {name} {found}, not {asked}"
    if "network" in holds and set(inside.network or ()) - {"lo"}:
        named = cut_text(", ".join(inside.network or ()), _LONGEST_LIST)
        return Outcome.INVALID, f"the box has a network: {named}"
    return None


def _is_near(found: float | None, asked: float | None, rounding: float) -> bool:
    return found is not None and asked is not None and abs(found - asked) <= rounding


def _unreadable(case: _Case) -> Decision | None:
    faults = case.seen.output.faults
    return (Outcome.INVALID, faults[0]) if faults else None


def _unbelievable(case: _Case) -> Decision | None:
    found = find_contradiction(case.seen, case.sessions, case.load, case.arm)
    return (Outcome.INVALID, found) if found else None


def _by_result(case: _Case) -> Decision | None:
    result = case.seen.output.result
    if result is None:
        return None
    if result.errors == 0:
        return Outcome.OK, ""
    failed = f"{show_count(result.errors)} of {show_count(case.sessions)} sessions failed"
    sample = result.err_sample or "no message"
    if full := find_full_disk(sample):
        return Outcome.INVALID, full
    return find_resource(sample, case.seen.output.death, case.caps, failed) or (
        Outcome.ERRORS,
        f"{failed}: {sample[:200]}",
    )


def _full_disk(case: _Case) -> Decision | None:
    """A worker that ended by itself over a full disk says nothing about its side."""
    full = find_full_disk(_said(case.seen))
    return (Outcome.INVALID, full) if full and not _is_signalled(case.seen) else None


def _by_exit(case: _Case) -> Decision | None:
    """Believe the code, but for an abort and an ordinary failure, whose reason is in what was said."""
    death, code = case.seen.output.death, case.seen.exit_code
    if death is None and code in _STOPPED_CODES:
        return Outcome.INVALID, f"somebody stopped it: exit code {code}"
    if death is None and code == _KILLED_CODE:
        return Outcome.INVALID, f"somebody killed it from outside: exit code {code}"
    if death is not None and _is_signalled(case.seen):
        return Outcome.CRASH, f"killed by signal {death.signal}, and not for memory"
    if code == 0:
        return Outcome.CRASH, "it exited 0 without a RESULT"
    return None


def _by_words(case: _Case) -> Decision | None:
    said, death = _said(case.seen), case.seen.output.death
    return find_resource(said, death, case.caps, "the worker ended")


def _is_signalled(seen: Observation) -> bool:
    """Whether the worker was ended by a signal other than an abort, which explains itself whatever was logged before."""
    death = seen.output.death
    return death is not None and death.signal not in {None, 0, signal.SIGABRT}


def _said(seen: Observation) -> str:
    death = seen.output.death
    return "\n".join((*seen.stderr, *(death.stderr_tail if death else ())))
