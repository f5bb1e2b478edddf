"""The samples of several processes together."""

import os
import threading

from harness.probe.kernel.processes import ProcessStatus
from harness.probe.supervisor.sampler import CpuMeter, Sampler

NOBODY = 1 << 22  # above the largest pid of Linux


def test_sampler_keeps_peaks() -> None:
    """A thread that ends before the next sample stays in the peaks."""
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
    """The sampler keeps the last ten samples only."""
    clock_ms = iter(range(100))
    sampler = Sampler([os.getpid()], lambda: next(clock_ms))
    for _ in range(12):
        sampler.sample()
    assert [sample["t-ms"] for sample in sampler.last_samples] == list(range(2, 12))


def test_sampler_changes_nothing_when_the_process_is_gone() -> None:
    """The last state of a live process is the evidence."""
    sampler = Sampler([NOBODY], lambda: 0.0)
    sampler.sample()
    assert sampler.peaks.threads == 0
    assert sampler.last_samples == []


def test_sampler_peak_is_that_of_the_sum() -> None:
    """Two processes that were large at different times do not add up."""
    seen = {
        1: iter(
            [ProcessStatus(9, 100, 100), ProcessStatus(1, 20, 100), ProcessStatus(1, 30, 100)]
        ),
        2: iter([ProcessStatus(1, 10, 10), ProcessStatus(8, 70, 70), ProcessStatus()]),
    }
    sampler = Sampler([1, 2], lambda: 0.0, lambda pid: next(seen[pid]))
    for _ in range(3):
        sampler.sample()
    assert (sampler.peaks.threads, sampler.peaks.rss_kb) == (10, 110)
    assert (sampler.threads, sampler.rss_kb) == (1, 30)


def test_sampler_peak_is_at_least_that_of_each_process() -> None:
    """The kernel's own peak counts, even if it fell between two samples."""
    sampler = Sampler([1, 2], lambda: 0.0, lambda pid: ProcessStatus(1, 10, {1: 50, 2: 15}[pid]))
    sampler.sample()
    assert sampler.peaks.rss_kb == 50


def test_cpu_share_is_that_of_all_the_processes() -> None:
    """A process that is gone keeps its CPU time: the share stays positive."""
    taken_s = {1: iter([1.0, 2.0, None]), 2: iter([0.5, None, None])}
    clock_s = iter([0.0, 1.0, 3.0])
    meter = CpuMeter([1, 2], lambda: next(clock_s), lambda pid: next(taken_s[pid]))
    assert [meter.read_pct() for _ in range(3)] == [150.0, 50.0, None]
