"""Processes of this machine that are to end: whether one still runs, and killing until none does."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

_PATIENCE_S = 30.0
_LOOK_S = 0.01


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that only waits to be asked how it ended does not."""
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def kill_all(find: Callable[[], Iterable[psutil.Process]]) -> None:
    """Kill what is found, again and again, until nothing is found and all that was killed is gone.

    It does not wait for them as a parent would: that would take the exit code of our own child.

    Args:
        find: Returns those that are to end.

    Raises:
        TimeoutError: One of them does not die.
    """
    deadline = time.monotonic() + _PATIENCE_S
    killed: list[psutil.Process] = []
    while alive := [process for process in (*killed, *find()) if is_alive(process)]:
        if time.monotonic() > deadline:
            msg = f"{len(alive)} processes do not die, the first of them {alive[0].pid}"
            raise TimeoutError(msg)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        killed = alive  # one that dies may not be found any more
        time.sleep(_LOOK_S)
