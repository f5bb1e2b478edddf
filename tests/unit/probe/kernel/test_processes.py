"""The readers of a process's state."""

import os
from pathlib import Path

from harness.probe.kernel.processes import ProcessStatus, list_fds, read_cpu_s, read_status

NOBODY = 1 << 22  # above the largest pid of Linux

STATUS = """\
Name:\tpython3
State:\tS (sleeping)
Pid:\t77
VmPeak:\t   51234 kB
VmHWM:\t   23568 kB
VmRSS:\t   21004 kB
Threads:\t1009
SigQ:\t0/96365
"""


def _write_status(folder: Path, text: str) -> None:
    (folder / "77").mkdir()
    (folder / "77/status").write_text(text, encoding="ascii")


def test_status_is_read_by_name(tmp_path: Path) -> None:
    """The status holds threads, resident memory and its peak, in the kernel's kB."""
    _write_status(tmp_path, STATUS)
    assert read_status(77, tmp_path) == ProcessStatus(
        threads=1009, rss_kb=21004, peak_rss_kb=23568
    )


def test_status_of_a_zombie_has_no_memory(tmp_path: Path) -> None:
    """A dead process that nobody has waited for has threads and no memory."""
    _write_status(tmp_path, "State:\tZ (zombie)\nThreads:\t1\n")
    assert read_status(77, tmp_path) == ProcessStatus(threads=1)


def test_process_that_is_gone_reads_as_none() -> None:
    """No reader raises for a process that is gone."""
    assert read_status(NOBODY).threads is None
    assert read_cpu_s(NOBODY) is None
    assert list_fds(NOBODY) is None


def test_cpu_time_of_this_process_is_positive() -> None:
    """The kernel has counted CPU time for this process."""
    cpu_s = read_cpu_s(os.getpid())
    assert cpu_s is not None
    assert cpu_s > 0
