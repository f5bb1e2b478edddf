"""The ends of sessions, in both executors."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from harness.probe.shared_counters import SharedCounters
from harness.probe.worker.executors import run_in_tasks, run_in_threads
from harness.probe.worker.ledger import Ledger
from tests.unit.probe.conftest import JumpingLoop


class FakeArm:
    """Sessions that end well, but for those whose index has an error."""

    def __init__(self, errors: dict[int, BaseException] | None = None) -> None:
        self._errors = errors or {}

    def run(self, index: int) -> None:
        """End at once."""
        if index in self._errors:
            raise self._errors[index]

    async def arun(self, index: int) -> None:
        """End after as many seconds as the index says."""
        await asyncio.sleep(index)
        self.run(index)


class SlowArm(FakeArm):
    """Sessions that block the loop for a ms at their start, and then wait.

    Attributes:
        most: How many were there at once.
    """

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop
        self._there = 0
        self.most = 0

    async def arun(self, index: int) -> None:
        """Let the loop's time pass, then wait for a moment."""
        del index
        self._there += 1
        self.most = max(self.most, self._there)
        self._loop.now_s += 0.001
        await asyncio.sleep(0.01)
        self._there -= 1


def test_ledger_keeps_the_first_failure(counters: SharedCounters) -> None:
    """The sample is the first error's type and message; totals are published."""
    ledger = Ledger(3, counters)
    ledger.record_error(ValueError("one"))
    ledger.record_error(ValueError("two"))
    ledger.record_ok(5.0)
    assert ledger.err_sample == "ValueError: one"
    assert (ledger.ok, ledger.errors) == (1, 2)
    assert (counters.done, counters.errors) == (3, 2)
    assert list(ledger.latencies_ms) == [5.0]


def test_tasks_are_timed_from_their_common_start(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop
) -> None:
    """Latency is the time on the loop's clock since the common start."""
    ledger = Ledger(3, counters)
    span = run_in_tasks(FakeArm(), range(3), ledger, loop.time() - 0.5, lambda: loop)
    assert list(ledger.latencies_ms) == pytest.approx([500, 1500, 2500])
    assert span.wall_ms == pytest.approx(2500)


def test_tasks_are_those_of_the_shard(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop
) -> None:
    """Only the sessions that were asked for are run, by their own numbers."""
    ledger = Ledger(2, counters)
    run_in_tasks(FakeArm(), range(1, 4, 2), ledger, loop.time(), lambda: loop)
    assert list(ledger.latencies_ms) == pytest.approx([1000, 3000])


def test_tasks_are_all_there_before_any_goes_on(
    counters: SharedCounters, loop: JumpingLoop
) -> None:
    """A thousand sessions start at one moment, however long their creation takes."""
    arm = SlowArm(loop)
    run_in_tasks(arm, range(1000), Ledger(1000, counters), loop.time(), lambda: loop)
    assert arm.most == 1000


def test_threads_are_timed_from_their_common_start(counters: SharedCounters) -> None:
    """A late start is part of the latency."""
    ledger = Ledger(2, counters)
    span = run_in_threads(FakeArm(), range(1, 4, 2), ledger, time.monotonic() - 60)
    assert all(60_000 <= latency_ms <= span.wall_ms for latency_ms in ledger.latencies_ms)
    assert ledger.ok == 2


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError("x"), asyncio.CancelledError("x")])
def test_tasks_that_fail_leave_the_others_be(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop, error: BaseException
) -> None:
    """Whatever a session raises is counted against it alone."""
    ledger = Ledger(3, counters)
    run_in_tasks(FakeArm({1: error}), range(3), ledger, loop.time(), lambda: loop)
    assert (ledger.ok, ledger.errors) == (2, 1)
    assert ledger.err_sample == f"{type(error).__name__}: x"


def test_threads_that_fail_leave_the_others_be(counters: SharedCounters) -> None:
    """Whatever a session raises is counted against it alone."""
    ledger = Ledger(4, counters)
    run_in_threads(FakeArm({2: MemoryError("x")}), range(4), ledger, time.monotonic())
    assert (ledger.ok, ledger.errors) == (3, 1)
    assert ledger.err_sample == "MemoryError: x"


def test_threads_that_cannot_be_started_are_failed_sessions(
    counters: SharedCounters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on without them, and ends."""
    start: Callable[[threading.Thread], None] = threading.Thread.start
    starts = iter(range(5))

    def start_three(thread: threading.Thread) -> None:
        if next(starts) >= 3:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_three)
    ledger = Ledger(5, counters)
    run_in_threads(FakeArm(), range(5), ledger, time.monotonic())
    assert (ledger.ok, ledger.errors) == (3, 2)
    assert ledger.err_sample == "RuntimeError: can't start new thread"
