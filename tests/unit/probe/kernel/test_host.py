"""The readers of the host's CPU times and pressure."""

from pathlib import Path

import pytest

from harness.probe.kernel import host
from harness.probe.kernel.files import read_pressure_ms
from harness.probe.kernel.host import HostTimes, read_host_times

STAT = """\
cpu  700 60 500 9000 260 10 90 30 50 5
cpu0 400 30 250 4500 130 5 45 15 25 5
cpu1 300 30 250 4500 130 5 45 15 25 0
intr 12345 0 1
ctxt 99
"""


def _read(folder: Path, text: str) -> HostTimes | None:
    (folder / "stat").write_text(text, encoding="ascii")
    return read_host_times(folder / "stat")


def test_host_stat_is_read_in_ms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Guests are part of user, waiting for a disk is idle, stolen time is no work."""
    monkeypatch.setattr(host, "_JIFFY_MS", 10.0)
    assert _read(tmp_path, STAT) == HostTimes(
        cpus=2, busy_ms=13_600.0, steal_ms=300.0, total_ms=106_500.0
    )


@pytest.mark.parametrize("text", ["", "intr 5\n", "cpu0 1 2 3 4\n", "cpu  1 2 three 4\n"])
def test_host_stat_of_another_format_is_none(text: str, tmp_path: Path) -> None:
    """A host without CPU times does not count as idle."""
    assert _read(tmp_path, text) is None


def test_host_stat_of_an_old_kernel_has_no_steal(tmp_path: Path) -> None:
    """Missing columns count as zero."""
    times = _read(tmp_path, "cpu  1 2 3 4\ncpu0 1 2 3 4\n")
    assert times is not None
    assert (times.cpus, times.steal_ms) == (1, 0.0)
    assert times.total_ms > times.busy_ms > 0


def test_pressure_is_read_in_ms(tmp_path: Path) -> None:
    """The total of the kernel's `some` line is in microseconds."""
    pressure = tmp_path / "pressure"
    pressure.write_text(
        "some avg10=0.05 avg60=0.16 avg300=0.37 total=3229712\nfull total=1", encoding="ascii"
    )
    assert read_pressure_ms(pressure) == 3229.712
