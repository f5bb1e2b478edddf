"""Causes of a cell's end: memory, threads, open files, a full disk, the time limit."""

from collections.abc import Mapping

from harness.model.nouns import Caps, Outcome
from harness.model.units import show_bytes, show_count, show_seconds
from harness.outcome.observation import Observation, number_in, sessions_done
from harness.outcome.protocol import ProgressLine, WorkerExit

MAPS_A_THREAD = 65_530 / 22_400
"""Memory mappings per thread, measured on a process that had used up all its own."""

_REACHED = 0.95  # the kernel kills before a charge exceeds the limit, and charges in batches
_NEAR = 0.9
_PIDS = "pids limit"
_SHORTEST_TAIL_MS = 2500  # PROGRESS comes once a second, and a container takes a moment to start

_NO_THREAD = ("can't start new thread", "unable to create native thread", "pthread_create failed")
_NO_PROCESS = ("can't start new process", "fork: retry", "fork: Resource temporarily unavailable")
_EAGAIN = ("Resource temporarily unavailable", "BlockingIOError: [Errno 11]")
_FORKING = ("fork", "posix_spawn", "clone(", "_execute_child")
_EMFILE = "Too many open files"
_ENFILE = "Too many open files in system"
_NO_DISK = ("No space left on device", "Disk quota exceeded")


def killed_for_memory(observation: Observation, caps: Caps) -> tuple[Outcome, str] | None:
    """Return the outcome of a kill for memory; None where none was reported.

    The kernel counts a kill in the victim's cgroup, also when an outer cgroup or the host ran
    out of memory.
    """
    # A box that does not hold memory shares its cgroup with other processes.
    is_own_group = "memory" in observation.holds
    survived = _has_survived(observation)
    by_cgroup = _is_counted(observation) and (is_own_group or not survived)
    if not by_cgroup and not observation.oom_killed:
        return None
    if is_own_group and _is_from_outside(observation, caps):
        reason = (
            "the host, or a cgroup around the box, ran out of memory: the box was below its cap"
        )
        return Outcome.INVALID, reason
    witness = "its cgroup's oom_kill rose" if by_cgroup else observation.oom_witness
    child = "a child of the worker was killed for memory: " if survived else ""
    return Outcome.OOM, f"out of memory at {show_bytes(caps.memory_bytes)}, {child}{witness}"


def _is_counted(observation: Observation) -> bool:
    worker_exit = observation.output.worker_exit
    return worker_exit is not None and (
        worker_exit.cause == "oom" or number_in(worker_exit.evidence, "oom-kills") > 0
    )


def _has_survived(observation: Observation) -> bool:
    """Return whether the worker ended by itself, so that a child of it was killed."""
    worker_exit = observation.output.worker_exit
    is_unsignalled = worker_exit is not None and worker_exit.signal in {None, 0}
    return observation.output.result is not None or is_unsignalled


def _is_from_outside(observation: Observation, caps: Caps) -> bool:
    """Return whether the box was below its limit at the kill.

    The kernel's count of failed charges (cgroup v2) decides. Without it the peak does, which
    also includes cached files.
    """
    worker_exit = observation.output.worker_exit
    inside = worker_exit.evidence if worker_exit is not None else {}
    events = inside.get("oom-events")
    if number_in(inside, "oom-kills") > 0 and isinstance(events, int | float):
        return events == 0
    outside = observation.box_evidence
    # A peak that was sampled may be a second old; one beside the count of kills is final.
    final_peak = outside.get("memory-peak-bytes") if outside.get("oom-kills") else None
    peak = inside.get("memory-peak-bytes", final_peak)
    limit = inside.get("memory-max-bytes", caps.memory_bytes)
    return isinstance(peak, int) and isinstance(limit, int) and peak < limit * _REACHED


def find_exhausted(
    text: str, worker_exit: WorkerExit | None, caps: Caps, effect: str
) -> tuple[Outcome, str] | None:
    """Return the outcome of an exhausted resource that a text names; else None.

    EAGAIN is also the error of a socket. It counts as a lack of processes where the kernel
    refused one, or where the text is of a fork.

    Args:
        text: Standard error, or the message of the first failed session.
        worker_exit: Reports the limits.
        caps: As requested.
        effect: For the reason.
    """
    evidence = worker_exit.evidence if worker_exit is not None else {}
    if any(words in text for words in _NO_THREAD):
        return Outcome.THREADS, f"native threads ran out at {_limit(evidence, caps)}, {effect}"
    if _is_fork(text, evidence):
        return Outcome.THREADS, f"processes ran out at {_limit(evidence, caps)}, {effect}"
    if _ENFILE in text:
        return Outcome.INVALID, f"the host's table of open files is full (fs.file-max), {effect}"
    if _EMFILE in text:
        return Outcome.FDS, f"open files ran out{_at_nofile(evidence)}, {effect}"
    return None


def find_full_disk(text: str) -> str:
    """Return a sentence about a full disk of the host that a text names; else empty."""
    error = next((words for words in _NO_DISK if words in text), "")
    return error and f"the disk that the cell writes to is full: {error}"


def find_thread_limit(evidence: Mapping[str, object]) -> tuple[str, float] | None:
    """Return the limit that stopped a thread from starting; None where none was near.

    A refusal that the kernel counted is one of the pids limit. Otherwise the limit nearest to
    its end is returned.

    Args:
        evidence: Of the supervisor, by the names of the protocol.

    Returns:
        The limit's name and value.
    """
    pids, threads = number_in(evidence, "pids-max"), number_in(evidence, "peak-threads")
    if pids and number_in(evidence, "pids-refused") > 0:
        return _PIDS, pids
    limits = (
        (_PIDS, pids, number_in(evidence, "pids-peak")),
        ("vm.max_map_count", number_in(evidence, "max-map-count"), threads * MAPS_A_THREAD),
        ("kernel.pid_max", number_in(evidence, "pid-max"), threads),
        ("kernel.threads-max", number_in(evidence, "threads-max"), threads),
    )
    near = [(used / limit, name, limit) for name, limit, used in limits if limit]
    share, name, limit = max(near, default=(0.0, "", 0.0))
    return (name, limit) if share >= _NEAR else None


def _is_fork(text: str, evidence: Mapping[str, object]) -> bool:
    if any(words in text for words in _NO_PROCESS):
        return True
    if not any(words in text for words in _EAGAIN):
        return False
    return number_in(evidence, "pids-refused") > 0 or any(words in text for words in _FORKING)


def _limit(evidence: Mapping[str, object], caps: Caps) -> str:
    found = find_thread_limit(evidence)
    if found is None:
        return "an unknown limit"
    name, limit = found
    is_default = name == _PIDS and caps.pids is None
    hint = " (the default; raise it with --pids)" if is_default else ""
    return f"the {name} of {show_count(limit)}{hint}"


def _at_nofile(evidence: Mapping[str, object]) -> str:
    limit = number_in(evidence, "nofile")
    is_near = limit and number_in(evidence, "peak-fds") >= limit * _NEAR
    return f" at the limit of {show_count(limit)} per process" if is_near else ""


def timed_out(observation: Observation, caps: Caps, sessions: int) -> tuple[Outcome, str] | None:
    """Return the outcome of a cell that reached its time limit; else None.

    Sessions and tokens decide whether it progressed, not the pulse of its supervisor.
    """
    if not observation.timed_out:
        return None
    limit = f"{show_seconds(caps.timeout_s)} timeout"
    done = f"{show_count(sessions_done(observation) or 0)} of {show_count(sessions)} sessions done"
    if _has_progressed(observation):
        return Outcome.TIMEOUT_PROGRESSING, f"{limit}, {done}"
    return Outcome.TIMEOUT_STALLED, f"{limit}, stalled, {done}"


def _has_progressed(observation: Observation) -> bool:
    """Return whether sessions or tokens arrived in the last quarter of the time."""
    wall_ms = observation.wall_s * 1000
    since_ms = wall_ms - max(wall_ms / 4, _SHORTEST_TAIL_MS)
    progress = observation.output.progress
    if not progress or progress[-1].t_ms < since_ms:
        return False
    last = progress[-1]
    before = [ProgressLine(), *(line for line in progress if line.t_ms <= since_ms)][-1]
    return (last.done, last.deltas or 0) != (before.done, before.deltas or 0)
