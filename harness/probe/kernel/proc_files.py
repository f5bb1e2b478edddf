"""The files of /proc on a process and on the kernel's limits."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Status:
    """A process at one moment; None for what it no longer has.

    Args:
        threads: OS threads.
        rss_kb: Resident memory.
        peak_rss_kb: The largest resident memory so far.
    """

    threads: int | None = None
    rss_kb: int | None = None
    peak_rss_kb: int | None = None


def read_status(process: int | str) -> Status:
    """Read the state of a process; one that is gone has none.

    Args:
        process: Its id, or `self`.
    """
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Status()
    return parse_status(text)


def parse_status(text: str) -> Status:
    """Read the text of ``/proc/PID/status``."""
    wanted = {"Threads": 0, "VmRSS": 0, "VmHWM": 0}
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in wanted:
            found[name] = int(value.split()[0])
    return Status(found.get("Threads"), found.get("VmRSS"), found.get("VmHWM"))


def read_cpu_s(pid: int) -> float | None:
    """Return a process's CPU time, user and system, in s; None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold anything
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def stat_fds(pid: int) -> int | None:
    """Return a process's number of open descriptors; None before Linux 6.2."""
    try:
        return Path(f"/proc/{pid}/fd").stat().st_size or None
    except OSError:
        return None


def list_fds(pid: int) -> int | None:
    """Return a process's open descriptors by listing them; None when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 (a Path for each of thousands costs)
    except OSError:
        return None


def read_kernel_limits() -> Mapping[str, int | None]:
    """Return the limits on threads, mappings and descriptors that no cgroup sets."""
    kernel = Path("/proc/sys")
    return {
        "max-map-count": _read_int(kernel / "vm/max_map_count"),
        "pid-max": _read_int(kernel / "kernel/pid_max"),
        "threads-max": _read_int(kernel / "kernel/threads-max"),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }


def read_networks() -> list[str] | None:
    """Return the network interfaces that are up, sorted, or None."""
    try:
        lines = Path("/proc/self/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    except OSError:
        return None
    names = (line.partition(":")[0].strip() for line in lines)
    return sorted(name for name in names if _is_up(name))


def _is_up(interface: str) -> bool:
    """Return whether an interface is up; kernels add tunnels that are down."""
    try:
        flags = int(Path(f"/sys/class/net/{interface}/flags").read_text(encoding="ascii"), 16)
    except (OSError, ValueError):
        return True
    return bool(flags & 1)  # IFF_UP, netdevice(7)


def _read_int(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
