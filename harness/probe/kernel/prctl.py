"""Settings of this process by prctl(2): access by others, death with a parent."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def deny_access_by_peers() -> bool:
    """Deny other processes of this user access to this process and its descriptors.

    Otherwise a runtime could write to the supervisor's standard output (``/proc/PID/fd/1``), or
    take it over by ptrace. Processes with capabilities keep access. Children are not protected.

    Returns:
        False where the system lacks this setting.

    Source: prctl(2), PR_SET_DUMPABLE; ptrace(2), "Ptrace access mode checking".
    """
    try:
        prctl = ctypes.CDLL(None).prctl
    except (AttributeError, OSError):  # not Linux
        return False
    return int(prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0


def die_with_parent(parent: int) -> bool:
    """Have the kernel kill this process when its parent ends.

    Args:
        parent: Process id of the parent.

    Returns:
        False if the parent has ended already.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    return os.getppid() == parent
