"""What ran out, as the words of a process and the counts of its kernel tell it: threads, processes, open files, a disk."""

from collections.abc import Mapping

from harness.model import Caps, Outcome
from harness.protocol import Death
from harness.units import show_count

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
