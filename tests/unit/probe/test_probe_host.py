"""The host's CPU times: readings, and differences of two readings."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.supervisor import host
from harness.probe.supervisor.host import (
    HostReading,
    HostTimes,
    HostWatch,
    host_reader,
    parse_stat,
)

STAT = """\
cpu  700 60 500 9000 260 10 90 30 50 5
cpu0 400 30 250 4500 130 5 45 15 25 5
cpu1 300 30 250 4500 130 5 45 15 25 0
intr 12345 0 1
ctxt 99
"""
UNKNOWN = dict.fromkeys(("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms"))


def _times(busy_ms: float, steal_ms: float, idle_ms: float = 0.0, *, cpus: int = 2) -> HostTimes:
    total_ms = busy_ms + steal_ms + idle_ms
    return HostTimes(cpus=cpus, busy_ms=busy_ms, steal_ms=steal_ms, total_ms=total_ms)


def _reading(at_ms: float, times: HostTimes | None, own_ms: float | None = 0.0) -> HostReading:
    return HostReading(at_ms=at_ms, times=times, own_ms=own_ms, pressure_ms=None)


def _account(*readings: HostReading) -> dict[str, float | None]:
    """Return a watch's result for readings from the start to the end."""
    watch = HostWatch(iter(readings).__next__)
    watch.start()
    for _ in readings[2:]:
        watch.look()
    watch.stop()
    return dict(watch.account())


def test_host_stat_is_read_in_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guest time is part of user time, iowait is idle, and a jiffy is 10 ms."""
    monkeypatch.setattr(host, "_JIFFY_MS", 10.0)
    assert parse_stat(STAT) == HostTimes(
        cpus=2, busy_ms=13_600.0, steal_ms=300.0, total_ms=106_500.0
    )


@pytest.mark.parametrize("text", ["", "intr 5\n", "cpu0 1 2 3 4\n", "cpu  1 2 three 4\n"])
def test_host_stat_of_another_form_is_none(text: str) -> None:
    """A host that does not tell is not taken for an idle one."""
    assert parse_stat(text) is None


def test_host_stat_of_an_old_kernel_has_no_steal() -> None:
    """Columns that came later count as nothing."""
    times = parse_stat("cpu  1 2 3 4\ncpu0 1 2 3 4\n")
    assert times is not None
    assert (times.cpus, times.steal_ms) == (1, 0.0)
    assert times.total_ms > times.busy_ms > 0


def test_host_account_leaves_the_cgroup_out() -> None:
    """Others are what the host did and this cgroup did not."""
    assert _account(
        _reading(1000.0, _times(5000.0, 10.0, 100.0), 2000.0),
        _reading(3000.0, _times(8500.0, 60.0, 550.0), 4000.0),
    ) == {
        "host-cpus": 2,
        "host-ms": 2000.0,
        "steal-ms": 50.0,
        "others-cpu-ms": 1500.0,
        "pressure-ms": None,
    }


def test_host_account_never_owes_time() -> None:
    """Jiffies are coarser than the cgroup's count, so small negatives are zero."""
    account = _account(
        _reading(0.0, _times(0.0, 0.0), 0.0), _reading(10.0, _times(10.0, 0.0), 14.0)
    )
    assert account["others-cpu-ms"] == 0.0


@pytest.mark.parametrize(
    ("first", "last", "known"),
    [
        ((None, 1.0), (_times(9.0, 0.0), 2.0), {"host-cpus": 2}),
        ((_times(9.0, 0.0), 1.0), (None, 2.0), {}),
        ((_times(0.0, 0.0), 1.0), (_times(0.0, 0.0), 2.0), {"host-cpus": 2}),
        ((_times(0.0, 0.0), 1.0), (_times(9.0, 4.0), None), {"host-cpus": 2, "steal-ms": 4.0}),
    ],
)
def test_host_account_says_none_where_it_cannot_tell(
    first: tuple[HostTimes | None, float | None],
    last: tuple[HostTimes | None, float | None],
    known: dict[str, float],
) -> None:
    """Incomplete readings, or frozen counters, give no number."""
    account = _account(_reading(0.0, *first), _reading(5.0, *last))
    assert account == {**UNKNOWN, "host-ms": 5.0, **known}


def test_host_account_begins_with_the_sessions_and_ends_with_them() -> None:
    """Only readings between the first start and the stop count."""
    times = iter(_reading(at, _times(at, 0.0)) for at in (100.0, 200.0, 300.0))
    watch = HostWatch(times.__next__)
    watch.look()
    assert watch.account() == UNKNOWN
    watch.start()
    watch.start()
    watch.look()
    assert watch.account()["host-ms"] == 100.0
    watch.stop()
    watch.stop()
    watch.look()
    assert watch.account()["host-ms"] == 200.0


def test_host_that_is_not_there_is_read_as_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without /proc/stat, pressure or a cgroup there is the time and nothing else."""
    monkeypatch.setattr(host, "_STAT", tmp_path / "stat")
    monkeypatch.setattr(host, "_PRESSURE", tmp_path / "pressure")
    read = host_reader(Cgroup("", ""), lambda: 7.0)
    assert read() == HostReading(at_ms=7.0, times=None, own_ms=None, pressure_ms=None)


def test_host_pressure_is_read_in_ms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The total of the kernel's `some` line is in microseconds."""
    pressure = tmp_path / "pressure"
    lines: Iterable[str] = ("some avg10=0.05 avg60=0.16 avg300=0.37 total=3229712", "full total=1")
    pressure.write_text("\n".join(lines), encoding="ascii")
    monkeypatch.setattr(host, "_PRESSURE", pressure)
    assert host_reader(Cgroup("", ""), lambda: 7.0)().pressure_ms == 3229.712
