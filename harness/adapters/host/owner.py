"""Run ids, which mark everything a process makes, and their living owners."""

import hashlib
import itertools
import os
import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import psutil

_COUNTER = itertools.count()
# numbers may be padded with zeros, as in the names of counting folders
_RUN_ID = re.compile(r"esc-([0-9a-f]+)-0*([0-9]{1,7})-([0-9]{1,18})-[0-9]{1,18}")


def own_run_id() -> str:
    """Return a new run id of this process.

    Returns:
        ``esc-WHERE-PID-STARTED-N``: WHERE is a hash of the host and its process namespace. STARTED is the start of the process
        in clock ticks since boot: a later process with the same PID is not the owner.
    """
    pid = os.getpid()
    return f"esc-{_where()}-{pid}-{_started(pid)}-{next(_COUNTER)}"


def machine_name() -> str:
    """Return a hash of this machine's id, or without one of its host name."""
    try:
        name = Path("/etc/machine-id").read_text().strip()
    except OSError:
        name = ""
    return hashlib.sha256((name or socket.gethostname()).encode()).hexdigest()[:12]


def is_alive(run_id: str) -> bool:
    """Return whether the process of a run id may still run.

    An owner on another host or in another process namespace, which may share the engine, counts as alive. An id of another form
    has no owner.
    """
    found = _RUN_ID.fullmatch(run_id)
    if found is None:
        return False
    where, pid, started = found.groups()
    return where != _where() or _started(int(pid)) == int(started)


def utc_stamp() -> str:
    """Return the time of day as ``2026-11-30T12:34:56Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _where() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # not Linux: one namespace on a host
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def _started(pid: int) -> int:
    """Return the start of a process in clock ticks, 0 without /proc, -1 if gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0 if psutil.pid_exists(pid) else -1
    return int(stat.rpartition(")")[2].split()[19])
