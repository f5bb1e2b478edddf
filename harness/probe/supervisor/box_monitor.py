"""Monitor the box during one run: its limits, its event counters and its peaks."""

from collections.abc import Mapping

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.kernel.cgroup_stats import (
    CgroupCounters,
    read_counters,
    read_limits,
    read_pids,
    read_usage,
)
from harness.probe.kernel.host import read_kernel_limits, read_networks

_SAMPLES_PER_MEMORY_STAT = 10


class BoxMonitor:
    """Monitors a cgroup; counters are increases since its creation.

    Args:
        cgroup: The cgroup of the probe.
    """

    def __init__(self, cgroup: Cgroup) -> None:
        self._cgroup = cgroup
        self._limits = read_limits(cgroup)
        self._before = read_counters(cgroup)
        self._after: CgroupCounters | None = None
        self._rounds = 0
        self._pids_peak: int | None = None
        self._anonymous_peak_bytes: int | None = None

    def caps(self) -> Mapping[str, object]:
        """Return the CAPS map: the limits of this box; None for no limit."""
        return {
            "cpus": self._limits.cpus,
            "memory-bytes": self._limits.memory_bytes,
            "swap-bytes": self._limits.swap_bytes,
            "pids": self._limits.pids,
            "network": read_networks(),
            "cgroup": self._version(),
        }

    def sample(self) -> None:
        """Sample the current usage; memory less often, as the kernel must sum it up."""
        self._pids_peak = _larger(self._pids_peak, read_pids(self._cgroup))
        if self._rounds % _SAMPLES_PER_MEMORY_STAT == 0:
            anonymous_bytes = read_usage(self._cgroup).anonymous_bytes
            self._anonymous_peak_bytes = _larger(self._anonymous_peak_bytes, anonymous_bytes)
        self._rounds += 1

    def close(self) -> None:
        """Read the counters at the end of the run."""
        self._after = read_counters(self._cgroup)

    @property
    def increases(self) -> Mapping[str, float | None]:
        """Return the increases of the counters from the start to `close`, or to now."""
        return (self._after or read_counters(self._cgroup)).since(self._before)

    def evidence(self) -> Mapping[str, object]:
        """Return limits, peaks and increases, by the protocol's names."""
        usage = read_usage(self._cgroup)
        return {
            "cgroup": self._version(),
            **self.increases,
            "memory-max-bytes": self._limits.memory_bytes,
            "memory-peak-bytes": usage.memory_peak_bytes,
            "anonymous-peak-bytes": self._anonymous_peak_bytes,
            "swap-max-bytes": self._limits.swap_bytes,
            "pids-max": self._limits.pids,
            "pids-peak": _larger(self._pids_peak, usage.pids_peak),
            **read_kernel_limits(),
        }

    def _version(self) -> str | None:
        memory = self._cgroup.folder("memory")
        return f"v{memory.version}" if memory else None


def _larger(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
