"""Read the threads, the memory, the CPU time and the descriptors of a process."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.probe.kernel.files import PROC, read_text

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A process at one moment; None for what it no longer has.

    Args:
        threads: OS threads.
        rss_kb: Resident memory.
        peak_rss_kb: The largest resident memory so far.
    """

    threads: int | None = None
    rss_kb: int | None = None
    peak_rss_kb: int | None = None


def read_status(process: int | Literal["self"], proc: Path = PROC) -> ProcessStatus:
    """Return the state of a process, by its id; an empty one when it is gone."""
    found: dict[str, int | None] = {"Threads": None, "VmRSS": None, "VmHWM": None}
    for line in (read_text(proc / f"{process}/status") or "").splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0])
    return ProcessStatus(*found.values())


def read_cpu_s(pid: int) -> float | None:
    """Return the CPU time of a process, user and system; None when it is gone."""
    text = read_text(PROC / f"{pid}/stat")
    if text is None:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold any character
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def stat_fds(pid: int) -> int | None:
    """Return the number of open descriptors; None before Linux 6.2."""
    try:
        return (PROC / f"{pid}/fd").stat().st_size or None
    except OSError:
        return None


def list_fds(pid: int) -> int | None:
    """Return the number of open descriptors by listing them."""
    try:
        return len(os.listdir(PROC / f"{pid}/fd"))  # noqa: PTH208 (a Path for each of thousands is slow)
    except OSError:
        return None
