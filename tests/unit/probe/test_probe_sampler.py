"""The samples of a process, from outside."""

import os
import threading

from harness.probe.kernel.proc_files import Status, list_fds, parse_status, read_cpu_s, read_status
from harness.probe.supervisor.sampler import CpuMeter, Sampler

NOBODY = 1 << 22  # beyond the largest pid that Linux can give (2^22)

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
    """Threads, resident memory and its high-water mark, in the kernel's kB."""
    status = parse_status(STATUS)
    assert (status.threads, status.rss_kb, status.peak_rss_kb) == (1009, 21004, 23568)


def test_status_of_a_zombie_has_no_memory() -> None:
    """A process that has died but was not waited for has threads and no memory."""
    status = parse_status("State:\tZ (zombie)\nThreads:\t1\n")
    assert (status.threads, status.rss_kb, status.peak_rss_kb) == (1, None, None)


def test_process_that_is_gone_reads_as_none() -> None:
    """Nothing is raised for it."""
    assert read_status(NOBODY).threads is None
    assert read_cpu_s(NOBODY) is None
    assert list_fds(NOBODY) is None


def test_sampler_keeps_peaks() -> None:
    """A thread and a descriptor that are gone by the next sample stay in the peaks."""
    clock_ms = iter(range(100))
    sampler = Sampler([os.getpid()], lambda: next(clock_ms))
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    sampler.sample()
    stop.set()
    thread.join()
    with_thread = sampler.peaks
    sampler.sample()
    assert sampler.peaks.threads == with_thread.threads >= 2
    assert sampler.peaks.rss_kb >= sampler.rss_kb > 0
    assert sampler.fds is not None
    assert [sample["t-ms"] for sample in sampler.last_samples] == [0, 1]


def test_sampler_keeps_a_quarter_of_a_second() -> None:
    """Only the last ten samples are kept."""
    clock_ms = iter(range(100))
    sampler = Sampler([os.getpid()], lambda: next(clock_ms))
    for _ in range(12):
        sampler.sample()
    assert [sample["t-ms"] for sample in sampler.last_samples] == list(range(2, 12))


def test_sampler_leaves_all_as_it_was_when_the_process_is_gone() -> None:
    """The last state that was seen is the evidence."""
    sampler = Sampler([NOBODY], lambda: 0.0)
    sampler.sample()
    assert sampler.peaks.threads == 0
    assert sampler.last_samples == []


def test_sampler_adds_up_in_one_round_before_it_takes_the_peak() -> None:
    """Two processes that were large at different times were never large together."""
    seen = {
        1: iter([Status(9, 100, 100), Status(1, 20, 100), Status(1, 30, 100)]),
        2: iter([Status(1, 10, 10), Status(8, 70, 70), Status()]),
    }
    sampler = Sampler([1, 2], lambda: 0.0, lambda pid: next(seen[pid]))
    for _ in range(3):
        sampler.sample()
    assert (sampler.peaks.threads, sampler.peaks.rss_kb) == (10, 110)
    assert (sampler.threads, sampler.rss_kb) == (1, 30)


def test_sampler_takes_the_peak_of_one_process_for_the_least_of_the_sum() -> None:
    """The kernel's peak of one process counts between two samples."""
    sampler = Sampler([1, 2], lambda: 0.0, lambda pid: Status(1, 10, {1: 50, 2: 15}[pid]))
    sampler.sample()
    assert sampler.peaks.rss_kb == 50


def test_cpu_share_is_that_of_all_the_processes() -> None:
    """One that is gone keeps what it has taken, so the share never falls below zero."""
    taken_s = {1: iter([1.0, 2.0, None]), 2: iter([0.5, None, None])}
    clock_s = iter([0.0, 1.0, 3.0])
    meter = CpuMeter([1, 2], lambda: next(clock_s), lambda pid: next(taken_s[pid]))
    assert [meter.read_pct() for _ in range(3)] == [150.0, 50.0, None]


def test_cpu_time_rises() -> None:
    """It is what the kernel has accounted to this process so far."""
    cpu_s = read_cpu_s(os.getpid())
    assert cpu_s is not None
    assert cpu_s > 0
