"""A kill for memory: of the worker or of a child that it had, for the box's own limit or for somebody else's."""

from collections.abc import Mapping

from harness.model.nouns import Caps, Outcome
from harness.model.units import show_bytes, show_count, show_seconds
from harness.outcome.observation import Observation, sessions_done
from harness.outcome.protocol import Death, ProgressLine

_REACHED = (
    0.95  # of its limit: the kernel kills when a charge would go beyond it, and counts in batches
)
_HOSTS = "the host, or a group around the box, ran out of memory: the box itself was below its cap"
_NO_THREAD = ("can't start new thread", "unable to create native thread", "pthread_create failed")
_NO_PROCESS = ("can't start new process", "fork: retry", "fork: Resource temporarily unavailable")
_NOT_NOW = ("Resource temporarily unavailable", "BlockingIOError: [Errno 11]")  # EAGAIN
_FORKING = ("fork", "posix_spawn", "clone(", "_execute_child")
_NO_FD = "Too many open files"  # EMFILE, of the process
_NO_FILE = "Too many open files in system"  # ENFILE, of the machine
_NO_DISK = ("No space left on device", "Disk quota exceeded")
_NEAR = 0.9
_PIDS = "pids limit"

MAPS_A_THREAD = 65_530 / 22_400
"""Mappings that go with a thread: as many threads as a process was seen to start with so many mappings."""
_QUIET_MS = 2500  # PROGRESS comes once a second, and a container takes a moment to start


def killed_for_memory(seen: Observation, caps: Caps) -> tuple[Outcome, str] | None:
    """Tell of a kill for memory that the supervisor or the box has seen; None without one.

    The kernel counts a kill in the group of whoever was killed, for whosever limit it was: a group around the box, or the host itself.
    """
    is_box = (
        "memory" in seen.holds
    )  # else the supervisor's group is one that others are in as well
    by_cgroup = _is_counted(seen) and (is_box or not _has_survived(seen))
    if not by_cgroup and not seen.oom_killed:
        return None
    if is_box and _is_from_outside(seen, caps):
        return Outcome.INVALID, _HOSTS
    witness = "its cgroup's oom_kill rose" if by_cgroup else seen.oom_witness
    child = "a child of the worker was killed for memory: " if _has_survived(seen) else ""
    return Outcome.OOM, f"out of memory at {show_bytes(caps.memory_bytes)}, {child}{witness}"


def _is_counted(seen: Observation) -> bool:
    death = seen.output.death
    return death is not None and (death.cause == "oom" or _count(death, "oom-kills") > 0)


def _has_survived(seen: Observation) -> bool:
    """Whether the worker came to its end by itself, so that it was somebody else in the cell who was killed."""
    death = seen.output.death
    return seen.output.result is not None or (death is not None and death.signal in {None, 0})


def _is_from_outside(seen: Observation, caps: Caps) -> bool:
    """Whether a kill came when the box had not reached its limit, and so from around it.

    The kernel's own count of how often a group ran out (v2) decides where there is one; else its peak does, which holds what files it cached
    as well.
    """
    death = seen.output.death
    if death is not None and _count(death, "oom-kills") > 0 and "oom-events" in death.evidence:
        events = death.evidence["oom-events"]
        if isinstance(events, int | float):
            return events == 0
    inside = death.evidence if death is not None else {}
    peak = inside.get("memory-peak-bytes", _peak_at_the_end(seen))
    limit = inside.get("memory-max-bytes", caps.memory_bytes)
    return isinstance(peak, int) and isinstance(limit, int) and peak < limit * _REACHED


def _peak_at_the_end(seen: Observation) -> object:
    """Return the box's own figure where it was read once all was over, with the count of kills; one that was sampled may be a second old."""
    outside = seen.box_evidence
    return outside.get("memory-peak-bytes") if outside.get("oom-kills") else None


def _count(death: Death, key: str) -> float:
    value = death.evidence.get(key)
    return value if isinstance(value, int | float) else 0


def find_resource(
    said: str, death: Death | None, caps: Caps, failed: str
) -> tuple[Outcome, str] | None:
    """Name the limit that a process ran into; None where its words name none.

    EAGAIN alone may be of a socket: it is a lack of processes where the kernel counted one that it refused, or where the words
    are those of a fork.

    Args:
        said: What it wrote at its end, or the first failed session's message.
        death: The supervisor's account, which knows the limits.
        caps: What was asked for.
        failed: What came of it, for the reason.
    """
    evidence = death.evidence if death is not None else {}
    if any(words in said for words in _NO_THREAD):
        return Outcome.THREADS, f"native threads ran out{_at_limit(evidence, caps)}, {failed}"
    if _is_fork(said, evidence):
        return Outcome.THREADS, f"processes ran out{_at_limit(evidence, caps)}, {failed}"
    if _NO_FILE in said:
        return Outcome.INVALID, f"the host's table of open files is full (fs.file-max), {failed}"
    if _NO_FD in said:
        return Outcome.FDS, f"open files ran out{_at_nofile(evidence)}, {failed}"
    return None


def find_full_disk(said: str) -> str:
    """Say that the disk which a cell writes to is full, where the words say so: the host's trouble; empty otherwise."""
    found = next((words for words in _NO_DISK if words in said), "")
    return found and f"the disk that the cell writes to is full: {found}"


def name_thread_limit(evidence: Mapping[str, object]) -> tuple[str, int] | None:
    """Name the limit that stopped a thread or a process from starting, and its value; None where none was near its end.

    Where the kernel counted a refusal it was that of the pids, whatever the samples caught; else it is, of those that were near their end, the nearest.

    Args:
        evidence: Of the supervisor, by the names of the protocol.
    """
    pids, threads = _number(evidence, "pids-max"), _number(evidence, "peak-threads")
    if pids and _number(evidence, "pids-refused") > 0:
        return _PIDS, pids
    limits = (
        (_PIDS, pids, _number(evidence, "pids-peak")),
        ("vm.max_map_count", _number(evidence, "max-map-count"), threads * MAPS_A_THREAD),
        ("kernel.pid_max", _number(evidence, "pid-max"), threads),
        ("kernel.threads-max", _number(evidence, "threads-max"), threads),
    )
    near = [(used / limit, name, limit) for name, limit, used in limits if limit]
    share, name, limit = max(near, default=(0.0, "", 0))
    return (name, limit) if share >= _NEAR else None


def _is_fork(said: str, evidence: Mapping[str, object]) -> bool:
    if any(words in said for words in _NO_PROCESS):
        return True
    if not any(words in said for words in _NOT_NOW):
        return False
    return _number(evidence, "pids-refused") > 0 or any(words in said for words in _FORKING)


def _at_limit(evidence: Mapping[str, object], caps: Caps) -> str:
    found = name_thread_limit(evidence)
    if found is None:
        return ", at no limit that is known"
    name, limit = found
    unasked = ", which nobody asked for" if name == _PIDS and caps.pids is None else ""
    return f" at the {name} of {show_count(limit)}{unasked}"


def _at_nofile(evidence: Mapping[str, object]) -> str:
    limit = _number(evidence, "nofile")
    is_near = limit and _number(evidence, "peak-fds") >= limit * _NEAR
    return f" at the limit of {show_count(limit)} a process" if is_near else ""


def _number(evidence: Mapping[str, object], key: str) -> int:
    value = evidence.get(key)
    return int(value) if isinstance(value, int | float) else 0


def timed_out(seen: Observation, caps: Caps, sessions: int) -> tuple[Outcome, str] | None:
    """Tell of a cell that was ended at its time limit, by what it did and not by its pulse; None for any other."""
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
