"""The box during one run: its caps, kernel events and peaks."""

from collections.abc import Mapping

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.kernel.cgroup_counters import (
    Counters,
    read_counters,
    read_limits,
    read_pids,
    read_usage,
)
from harness.probe.kernel.proc_files import read_kernel_limits, read_networks

_SAMPLES_A_MEMORY_STAT = 10


class BoxWatch:
    """Takes the counters as they stand when it is made, and tells what has come on top.

    Args:
        cgroup: The cgroup of the probe.
    """

    def __init__(self, cgroup: Cgroup) -> None:
        self._cgroup = cgroup
        self._limits = read_limits(cgroup)
        self._before = read_counters(cgroup)
        self._after: Counters | None = None
        self._pids_folder = cgroup.folder("pids")
        self._rounds = 0
        self._pids_peak: int | None = None
        self._anonymous_peak_bytes: int | None = None

    def caps(self) -> Mapping[str, object]:
        """Return the CAPS map: what limits this box; None where nothing does."""
        return {
            "cpus": self._limits.cpus,
            "memory-bytes": self._limits.memory_bytes,
            "swap-bytes": self._limits.swap_bytes,
            "pids": self._limits.pids,
            "network": read_networks(),
            "cgroup": self._version(),
        }

    def sample(self) -> None:
        """Sample the usage; memory less often, because reading it is expensive."""
        self._pids_peak = _larger(self._pids_peak, read_pids(self._pids_folder))
        if self._rounds % _SAMPLES_A_MEMORY_STAT == 0:
            anonymous_bytes = read_usage(self._cgroup).anonymous_bytes
            self._anonymous_peak_bytes = _larger(self._anonymous_peak_bytes, anonymous_bytes)
        self._rounds += 1

    def close(self) -> None:
        """Take the counters at the end of the run."""
        self._after = read_counters(self._cgroup)

    @property
    def risen(self) -> Mapping[str, float | None]:
        """By how much the counters have risen from the start to `close`, or to now."""
        return (self._after or read_counters(self._cgroup)).since(self._before)

    def evidence(self) -> Mapping[str, object]:
        """Return limits, peaks and what has risen, by the names of the protocol."""
        usage = read_usage(self._cgroup)
        return {
            "cgroup": self._version(),
            **self.risen,
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
