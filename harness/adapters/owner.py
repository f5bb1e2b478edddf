"""The name under which a process marks what it makes, and whether its owner still lives."""

import itertools
import os
from pathlib import Path

_COUNTER = itertools.count()


def own_run_id() -> str:
    """Return a run id that no other run has, and by which its process can be found.

    Returns:
        ``esc-PID-STARTED-N``: STARTED is the process's start in clock ticks since boot, so that a process id that was given
        away again is not taken for the owner.
    """
    return f"esc-{os.getpid()}-{_started(os.getpid())}-{next(_COUNTER)}"


def is_alive(run_id: str) -> bool:
    """Whether the process that a run id names is still there; an id of another form has no owner."""
    parts = run_id.split("-")
    if len(parts) != 4 or parts[0] != "esc" or not all(part.isdigit() for part in parts[1:]):
        return False
    return _started(int(parts[1])) == int(parts[2])


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
