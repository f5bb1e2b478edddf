"""The changes of the host between two readings."""

from pathlib import Path

import pytest

from harness.probe.kernel.cgroup import parse_cgroup
from harness.probe.kernel.host import HostTimes
from harness.probe.supervisor.host_monitor import HostMonitor, HostReading, read_host

UNKNOWN = dict.fromkeys(("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms"))


def _times(busy_ms: float, steal_ms: float, idle_ms: float = 0.0, *, cpus: int = 2) -> HostTimes:
    total_ms = busy_ms + steal_ms + idle_ms
    return HostTimes(cpus=cpus, busy_ms=busy_ms, steal_ms=steal_ms, total_ms=total_ms)


def _reading(at_ms: float, times: HostTimes | None, own_ms: float | None = 0.0) -> HostReading:
    return HostReading(at_ms=at_ms, times=times, own_ms=own_ms, pressure_ms=None)


def _changes(*readings: HostReading) -> dict[str, float | None]:
    """Return the changes over readings from the start to the end."""
    monitor = HostMonitor(iter(readings).__next__)
    monitor.start()
    for _ in readings[2:]:
        monitor.update()
    monitor.stop()
    return dict(monitor.changes())


def test_host_changes_exclude_the_cgroup() -> None:
    """The CPU time of others is that of the host minus that of this cgroup."""
    assert _changes(
        _reading(1000.0, _times(5000.0, 10.0, 100.0), 2000.0),
        _reading(3000.0, _times(8500.0, 60.0, 550.0), 4000.0),
    ) == {
        "host-cpus": 2,
        "host-ms": 2000.0,
        "steal-ms": 50.0,
        "others-cpu-ms": 1500.0,
        "pressure-ms": None,
    }


def test_host_changes_are_never_negative() -> None:
    """Jiffies are coarser than the cgroup's count: small negatives are zero."""
    changes = _changes(
        _reading(0.0, _times(0.0, 0.0), 0.0), _reading(10.0, _times(10.0, 0.0), 14.0)
    )
    assert changes["others-cpu-ms"] == 0.0


@pytest.mark.parametrize(
    ("first", "last", "known"),
    [
        ((None, 1.0), (_times(9.0, 0.0), 2.0), {"host-cpus": 2}),
        ((_times(9.0, 0.0), 1.0), (None, 2.0), {}),
        ((_times(0.0, 0.0), 1.0), (_times(0.0, 0.0), 2.0), {"host-cpus": 2}),
        ((_times(0.0, 0.0), 1.0), (_times(9.0, 4.0), None), {"host-cpus": 2, "steal-ms": 4.0}),
    ],
)
def test_host_changes_that_are_unknown_are_none(
    first: tuple[HostTimes | None, float | None],
    last: tuple[HostTimes | None, float | None],
    known: dict[str, float],
) -> None:
    """An incomplete reading, or a host with constant counters, yields no number."""
    changes = _changes(_reading(0.0, *first), _reading(5.0, *last))
    assert changes == {**UNKNOWN, "host-ms": 5.0, **known}


def test_host_changes_start_and_end_with_the_sessions() -> None:
    """Only readings between the first start and the stop count."""
    times = iter(_reading(at, _times(at, 0.0)) for at in (100.0, 200.0, 300.0))
    monitor = HostMonitor(times.__next__)
    monitor.update()
    assert monitor.changes() == UNKNOWN
    monitor.start()
    monitor.start()
    monitor.update()
    assert monitor.changes()["host-ms"] == 100.0
    monitor.stop()
    monitor.stop()
    monitor.update()
    assert monitor.changes()["host-ms"] == 200.0


def test_host_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """Without /proc/stat, pressure and a cgroup a reading holds the time only."""
    reading = read_host(parse_cgroup("", ""), 7.0, tmp_path)
    assert reading == HostReading(at_ms=7.0, times=None, own_ms=None, pressure_ms=None)
