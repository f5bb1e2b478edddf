"""The readers of a process's state."""

import os

from harness.probe.kernel.processes import list_fds, parse_status, read_cpu_s, read_status

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


def test_status_is_read_by_name() -> None:
    """The status holds threads, resident memory and its peak, in the kernel's kB."""
    status = parse_status(STATUS)
    assert (status.threads, status.rss_kb, status.peak_rss_kb) == (1009, 21004, 23568)


def test_status_of_a_zombie_has_no_memory() -> None:
    """A dead process that nobody has waited for has threads and no memory."""
    status = parse_status("State:\tZ (zombie)\nThreads:\t1\n")
    assert (status.threads, status.rss_kb, status.peak_rss_kb) == (1, None, None)


def test_process_that_is_gone_reads_as_none() -> None:
    """No reader raises for it."""
    assert read_status(NOBODY).threads is None
    assert read_cpu_s(NOBODY) is None
    assert list_fds(NOBODY) is None


def test_cpu_time_of_this_process_is_positive() -> None:
    """The kernel has counted CPU time for this process."""
    cpu_s = read_cpu_s(os.getpid())
    assert cpu_s is not None
    assert cpu_s > 0
