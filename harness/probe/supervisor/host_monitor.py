"""Monitor the host: CPU time of other programs, stolen time, CPU pressure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.kernel.cgroup_stats import read_cpu_ms
from harness.probe.kernel.files import PROC, read_pressure_ms
from harness.probe.kernel.host import HostTimes, read_host_times

_KEYS = ("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReading:
    """The host and this cgroup at one moment; None for what the host does not count.

    Args:
        at_ms: Time of the reading, by a monotonic clock.
        own_ms: CPU time of this cgroup so far.
        pressure_ms: Time so far in which a task of the host waited for a CPU.
    """

    at_ms: float
    times: HostTimes | None
    own_ms: float | None
    pressure_ms: float | None


class HostMonitor:
    """Monitors the host from `start` to `stop`, or to the last `update`.

    Args:
        read: Reads the current state of the host.
    """

    def __init__(self, read: Callable[[], HostReading]) -> None:
        self._read = read
        self._first: HostReading | None = None
        self._last: HostReading | None = None
        self._is_over = False

    def start(self) -> None:
        """Take the first reading, once: earlier time is not the sessions' own."""
        if self._first is None:
            self._first = self._last = self._read()

    def stop(self) -> None:
        """Take the last reading, once."""
        self.update()
        self._is_over = True

    def update(self) -> None:
        """Take a reading, if it is between start and stop."""
        if self._first is not None and not self._is_over:
            self._last = self._read()

    def changes(self) -> Mapping[str, float | None]:
        """Return the changes since the start, by the protocol's names."""
        first, last = self._first, self._last
        if first is None or last is None:
            return dict.fromkeys(_KEYS)
        before, after = first.times, last.times
        steal_ms = busy_ms = None
        # CPU times that stand still are not counted by this host
        if before is not None and after is not None and after.total_ms > before.total_ms:
            steal_ms = after.steal_ms - before.steal_ms
            busy_ms = after.busy_ms - before.busy_ms
        own_ms = _increase(first.own_ms, last.own_ms)
        others_ms = None if busy_ms is None or own_ms is None else max(0.0, busy_ms - own_ms)
        values = (
            after.cpus if after is not None else None,
            last.at_ms - first.at_ms,
            steal_ms,
            others_ms,
            _increase(first.pressure_ms, last.pressure_ms),
        )
        return {
            key: None if value is None else round(value, 1)
            for key, value in zip(_KEYS, values, strict=True)
        }


def read_host(cgroup: Cgroup, at_ms: float, proc: Path = PROC) -> HostReading:
    """Return the current state of the host around a cgroup."""
    return HostReading(
        at_ms=at_ms,
        times=read_host_times(proc / "stat"),
        own_ms=read_cpu_ms(cgroup),
        pressure_ms=read_pressure_ms(proc / "pressure/cpu"),
    )


def _increase(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first
