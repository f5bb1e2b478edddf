"""Caps without control groups: pin processes, sample their memory, kill the largest."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import ceil

import psutil

from harness.model.nouns import Caps

SAMPLE_S = 0.025
_LISTING_S = 0.25  # listing a process tree reads all processes of the host
_PR_SET_CHILD_SUBREAPER = 36
_EMPTYING_S = 30.0
_POLL_S = 0.01


class WatchdogEnforcer:
    """Enforces CPU and memory from outside.

    Resident memory is summed over the process tree; shared pages count for each process. Beyond the
    cap the largest process is killed, as the kernel would, so that its supervisor can report it.

    Args:
        caps: The number of processes is not enforced.
        now_s: A monotonic clock.
    """

    def __init__(self, caps: Caps, now_s: Callable[[], float] = time.monotonic) -> None:
        self._caps = caps
        self._now_s = now_s
        self._root = psutil.Process()
        self._known: dict[int, psutil.Process] = {}
        self._listed_at = float("-inf")
        self._peak_bytes = 0
        self._killed_at: list[int] = []
        _adopt_orphans()

    def join(self) -> None:
        """Pin the calling process to its CPUs; for a child between fork and exec."""
        if hasattr(os, "sched_setaffinity"):
            own = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, own[: ceil(self._caps.cpus)])

    def look(self) -> None:
        """Sample the memory of the tree; beyond the cap, kill the largest process."""
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
        """Kill the rest of the tree, and wait until it is gone.

        Raises:
            TimeoutError: A process does not die.
        """
        kill_all(self._list)

    def evidence(self) -> Mapping[str, object]:
        """Return samples and kills, by the names of the record."""
        return {
            "watchdog-kills": len(self._killed_at),
            "memory-at-kill-bytes": self._killed_at[0] if self._killed_at else None,
            "memory-peak-bytes": self._peak_bytes,
            "sampled-each-ms": SAMPLE_S * 1000,
        }

    def remove(self) -> None:
        """Do nothing."""

    def _list(self) -> list[psutil.Process]:
        """Return the processes of the tree, orphans included."""
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
    """Adopt the orphans of the tree, if the system can; else they could escape.

    Source: prctl(2), PR_SET_CHILD_SUBREAPER.
    """
    with suppress(OSError, AttributeError):
        import ctypes  # noqa: PLC0415  # needed only without a cgroup

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; a zombie does not."""
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def kill_all(find: Callable[[], Iterable[psutil.Process]]) -> None:
    """Kill processes until none is found and all killed ones are gone.

    It reaps no child, so that the caller can still read an exit code.

    Args:
        find: Returns the processes to kill.

    Raises:
        TimeoutError: A process does not die.
    """
    deadline = time.monotonic() + _EMPTYING_S
    killed: list[psutil.Process] = []
    while alive := [process for process in (*killed, *find()) if is_alive(process)]:
        if time.monotonic() > deadline:
            msg = f"{len(alive)} processes do not die, the first of them {alive[0].pid}"
            raise TimeoutError(msg)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        killed = alive  # a dying process may not be found again
        time.sleep(_POLL_S)
