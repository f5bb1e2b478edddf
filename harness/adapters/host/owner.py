"""The name under which a process marks what it makes, and whether its owner still lives."""

import hashlib
import itertools
import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

_COUNTER = itertools.count()
_NUMBER = re.compile(r"[0-9]{1,18}")


def own_run_id() -> str:
    """Return a run id that no other run has, and by which its process can be found.

    Returns:
        ``esc-WHERE-PID-STARTED-N``: WHERE stands for the host and its process namespace, STARTED is the process's start in
        clock ticks since boot, so that a process id that was given away again is not taken for the owner.
    """
    pid = os.getpid()
    return f"esc-{_where()}-{pid}-{_started(pid)}-{next(_COUNTER)}"


def machine_name() -> str:
    """Return what tells this machine from its twins, as a hash: its id where it has one, else its name."""
    try:
        name = Path("/etc/machine-id").read_text().strip()
    except OSError:
        name = ""
    return hashlib.sha256((name or socket.gethostname()).encode()).hexdigest()[:12]


def is_alive(run_id: str) -> bool:
    """Whether the process that a run id names may still be there.

    One of another host or process namespace, which may share the engine, cannot be seen from here and counts as alive. An id of
    another form has no owner.
    """
    word, *rest = run_id.split("-")
    if word != "esc" or len(rest) != 4 or not all(_NUMBER.fullmatch(part) for part in rest[1:]):
        return False
    where, pid, started, _ = rest
    return where != _where() or _started(int(pid)) == int(started)


def _where() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no Linux: one namespace a host
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _exists(pid)
    return int(stat.rpartition(")")[2].split()[19])


def _exists(pid: int) -> int:
    """Stand in for the start time where there is no /proc: 0 while the process is there, -1 after."""
    if Path("/proc/self/stat").exists():
        return -1
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return -1
    except PermissionError:
        return 0
    return 0


def utc_stamp() -> str:
    """Return the time of day as ``2026-11-30T12:34:56Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
