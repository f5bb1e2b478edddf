"""The cage of a host without control groups: processes are pinned, their memory is looked at, and what goes over is killed."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import ceil

import psutil

from harness.adapters.local.caps import CageCaps

SAMPLE_S = 0.025
_LISTING_S = 0.25  # finding a tree's processes means reading all of the host's
_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE_S = 30.0
_LOOK_S = 0.01


class WatchdogCage:
    """What can be held of the caps from outside.

    Resident memory is summed over the tree of processes, with what they share counted once for each. When it is beyond the cap the largest of them is
    killed, as the kernel would: whoever supervised it may tell of it.

    Args:
        caps: What it is to hold; of pids nothing is held.
        now_s: A monotonic clock.
    """

    def __init__(self, caps: CageCaps, now_s: Callable[[], float] = time.monotonic) -> None:
        self._caps = caps
        self._now_s = now_s
        self._root = psutil.Process()
        self._known: dict[int, psutil.Process] = {}
        self._listed_at = float("-inf")
        self._peak_bytes = 0
        self._killed_at: list[int] = []
        _adopt_orphans()

    def join(self) -> None:
        """Pin the process that calls this to as many processors as it may use; for a child between fork and exec."""
        if hasattr(os, "sched_setaffinity"):
            own = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, own[: ceil(self._caps.cpus)])

    def look(self) -> None:
        """Look at the memory of all, and kill the largest where that is beyond the cap."""
        if self._now_s() - self._listed_at >= _LISTING_S:
            self._list()
        sizes = {pid: size for pid in list(self._known) if (size := self._resident(pid))}
        total = sum(sizes.values())
        self._peak_bytes = max(self._peak_bytes, total)
        if total > self._caps.memory_bytes:
            self._killed_at.append(total)
            largest = max(sizes, key=lambda pid: sizes[pid])
            with suppress(psutil.Error):
                self._known[largest].kill()

    def empty(self) -> None:
        """Kill all that is left of the tree, and wait until they are gone.

        Raises:
            TimeoutError: One of them does not die.
        """
        kill_all(self._list)

    def evidence(self) -> Mapping[str, object]:
        """Return what was seen and done, by the names of the record."""
        return {
            "watchdog-kills": len(self._killed_at),
            "memory-at-kill-bytes": self._killed_at[0] if self._killed_at else None,
            "memory-peak-bytes": self._peak_bytes,
            "sampled-each-ms": SAMPLE_S * 1000,
        }

    def remove(self) -> None:
        """Do nothing: it has made nothing."""

    def _list(self) -> list[psutil.Process]:
        """Find the processes of the tree; one that was seen once stays known when its parent dies."""
        self._listed_at = self._now_s()
        with suppress(psutil.Error):
            for process in self._root.children(recursive=True):
                self._known.setdefault(process.pid, process)
        self._known = {pid: p for pid, p in self._known.items() if is_alive(p)}
        return list(self._known.values())

    def _resident(self, pid: int) -> int:
        with suppress(psutil.Error):
            return int(self._known[pid].memory_info().rss)
        return 0


def _adopt_orphans() -> None:
    """Have children of children whose parent dies become ours, where the system can do that: else they could get away.

    Source: prctl(2), PR_SET_CHILD_SUBREAPER.
    """
    with suppress(OSError, AttributeError):
        import ctypes  # noqa: PLC0415  # only where a cell is kept without a cgroup

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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
