"""What keeps the hands of the sessions' code off its supervisor, which runs as the same user."""

import ctypes

_PR_SET_DUMPABLE = 4


def close_to_others() -> bool:
    """Let no other process of this user look into this one or write to its descriptors, unless it has capabilities.

    Else a runtime could write to standard output as if it were the supervisor (``/proc/PID/fd/1``), or take it over by ptrace. What is started from here is as open
    as ever.

    Returns:
        Whether this system can do that.

    Source: prctl(2), PR_SET_DUMPABLE; ptrace(2), "Ptrace access mode checking".
    """
    try:
        prctl = ctypes.CDLL(None).prctl
    except (AttributeError, OSError):  # no Linux
        return False
    return int(prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)) == 0
