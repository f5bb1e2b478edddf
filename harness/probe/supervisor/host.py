"""The host of the box: CPU time used by others, and stolen CPU time."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.kernel.cgroup_counters import parse_pressure, read_cpu_ms

_JIFFY_MS = 1000 / os.sysconf("SC_CLK_TCK")
_STAT, _PRESSURE = Path("/proc/stat"), Path("/proc/pressure/cpu")
_KEYS = ("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTimes:
    """The host's CPU times since boot, summed over CPUs; in ms.

    Args:
        cpus: Processors that are in use.
        busy_ms: Work of any kind, that of guests included; neither idle nor waiting for a disk.
        steal_ms: What a hypervisor gave to others while there was work here.
        total_ms: All of it, idle and waiting included.
    """

    cpus: int
    busy_ms: float
    steal_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReading:
    """The host and this cgroup at one moment.

    Args:
        at_ms: When, by a monotonic clock.
        times: None where the host does not tell.
        own_ms: Processor time of this cgroup so far; None where it is not counted.
        pressure_ms: For how long some task of the host has waited for a processor; None where it is not counted.
    """

    at_ms: float
    times: HostTimes | None
    own_ms: float | None
    pressure_ms: float | None


class HostWatch:
    """The host's activity from `start` to `stop`, or to the last `look`.

    Args:
        read: Reads the host as it is.
    """

    def __init__(self, read: Callable[[], HostReading]) -> None:
        self._read = read
        self._first: HostReading | None = None
        self._last: HostReading | None = None
        self._is_over = False

    def start(self) -> None:
        """Begin, once: what was before is not the sessions' time."""
        if self._first is None:
            self._first = self._last = self._read()

    def stop(self) -> None:
        """Take the last look, once."""
        self.look()
        self._is_over = True

    def look(self) -> None:
        """Look, once it has begun and until it is over."""
        if self._first is not None and not self._is_over:
            self._last = self._read()

    def account(self) -> Mapping[str, float | None]:
        """Return the sums by the names of the protocol; None for unknown ones."""
        first, last = self._first, self._last
        if first is None or last is None:
            return dict.fromkeys(_KEYS)
        before, after = first.times, last.times
        steal_ms = busy_ms = None
        # Where the host's account stands still it is none.
        if before is not None and after is not None and after.total_ms > before.total_ms:
            steal_ms = after.steal_ms - before.steal_ms
            busy_ms = after.busy_ms - before.busy_ms
        own_ms = _risen(first.own_ms, last.own_ms)
        others_ms = None if busy_ms is None or own_ms is None else max(0.0, busy_ms - own_ms)
        values = (
            after.cpus if after is not None else None,
            last.at_ms - first.at_ms,
            steal_ms,
            others_ms,
            _risen(first.pressure_ms, last.pressure_ms),
        )
        return {
            key: None if value is None else round(value, 1)
            for key, value in zip(_KEYS, values, strict=True)
        }


def host_reader(cgroup: Cgroup, now_ms: Callable[[], float]) -> Callable[[], HostReading]:
    """Return what reads the host around a cgroup.

    Args:
        cgroup: Whose processor time is not that of others.
        now_ms: A monotonic clock.
    """

    def read() -> HostReading:
        return HostReading(
            at_ms=now_ms(),
            times=parse_stat(_text(_STAT)),
            own_ms=read_cpu_ms(cgroup),
            pressure_ms=parse_pressure(_text(_PRESSURE)),
        )

    return read


def parse_stat(text: str) -> HostTimes | None:
    """Read the text of ``/proc/stat``; None where it is not of that form.

    Source: proc_stat(5). The time of guests is within that of user, and what waits for a disk leaves the processor idle.
    """
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    if not lines or lines[0][0] != "cpu" or not all(word.isdigit() for word in lines[0][1:]):
        return None
    user, nice, system, idle, iowait, irq, softirq, steal, *_ = (
        *(int(word) * _JIFFY_MS for word in lines[0][1:]),
        *[0.0] * 8,
    )
    busy_ms = user + nice + system + irq + softirq
    return HostTimes(
        cpus=len(lines) - 1,
        busy_ms=busy_ms,
        steal_ms=steal,
        total_ms=busy_ms + idle + iowait + steal,
    )


def _risen(first: float | None, last: float | None) -> float | None:
    return None if first is None or last is None else last - first


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
