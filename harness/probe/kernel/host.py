"""Read the host's CPU times, its network interfaces and the limits of its kernel."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.probe.kernel.files import PROC, read_int, read_text

_JIFFY_MS = 1000 / os.sysconf("SC_CLK_TCK")
_COLUMNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTimes:
    """The CPU times of the host since its start, over all CPUs.

    Args:
        cpus: CPUs that are online.
        busy_ms: Work of any kind, guests included; neither idle nor waiting for a disk.
        steal_ms: Time that a hypervisor gave to other guests while this one had work.
        total_ms: The sum, idle and waiting included.
    """

    cpus: int
    busy_ms: float
    steal_ms: float
    total_ms: float


def read_host_times(path: Path = PROC / "stat") -> HostTimes | None:
    """Return the CPU times of the host; None for a file of another format.

    Source: proc_stat(5). `user` includes the time of guests. A CPU idles while a task waits
    for a disk.
    """
    lines = [row.split() for row in (read_text(path) or "").splitlines() if row.startswith("cpu")]
    if not lines or lines[0][0] != "cpu" or not all(word.isdigit() for word in lines[0][1:]):
        return None
    times_ms = [int(word) * _JIFFY_MS for word in lines[0][1:]] + [0.0] * _COLUMNS
    user, nice, system, idle, iowait, irq, softirq, steal = times_ms[:_COLUMNS]
    busy_ms = user + nice + system + irq + softirq
    total_ms = busy_ms + idle + iowait + steal
    return HostTimes(cpus=len(lines) - 1, busy_ms=busy_ms, steal_ms=steal, total_ms=total_ms)


def read_kernel_limits() -> Mapping[str, int | None]:
    """Return the limits on threads, mappings and descriptors that no cgroup sets."""
    settings = PROC / "sys"
    return {
        "max-map-count": read_int(settings / "vm/max_map_count"),
        "pid-max": read_int(settings / "kernel/pid_max"),
        "threads-max": read_int(settings / "kernel/threads-max"),
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }


def read_networks() -> list[str] | None:
    """Return the network interfaces that are up, sorted; None if unknown."""
    text = read_text(PROC / "self/net/dev")
    if text is None:
        return None
    names = (line.partition(":")[0].strip() for line in text.splitlines()[2:])
    return sorted(name for name in names if _is_up(name))


def _is_up(interface: str) -> bool:
    """Return whether an interface is up: kernels add unused tunnels."""
    flags = read_text(Path(f"/sys/class/net/{interface}/flags"))
    return flags is None or bool(int(flags, 16) & 1)  # IFF_UP, netdevice(7)
