"""The two ways of running sessions: tasks and threads."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from harness.probe.shared_counters import SharedCounters
from harness.probe.worker.executors import run_in_tasks, run_in_threads
from harness.probe.worker.recorder import Recorder
from tests.unit.probe.conftest import JumpingLoop


class FakeArm:
    """An arm whose sessions end well, except those with an error."""

    def __init__(self, errors: dict[int, BaseException] | None = None) -> None:
        self._errors = errors or {}

    def run(self, index: int) -> None:
        """End at once."""
        if index in self._errors:
            raise self._errors[index]

    async def arun(self, index: int) -> None:
        """End after `index` seconds."""
        await asyncio.sleep(index)
        self.run(index)


class SlowArm(FakeArm):
    """An arm whose sessions block the loop for a ms at their start, then wait.

    Attributes:
        most: The largest number of sessions at the same time.
    """

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop
        self._running = 0
        self.most = 0

    async def arun(self, index: int) -> None:
        """Advance the loop's clock, then wait."""
        del index
        self._running += 1
        self.most = max(self.most, self._running)
        self._loop.now_s += 0.001
        await asyncio.sleep(0.01)
        self._running -= 1


def test_tasks_are_timed_from_their_common_start(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop
) -> None:
    """Latency is the time on the loop's clock since the common start."""
    recorder = Recorder(3, counters)
    elapsed = run_in_tasks(FakeArm(), range(3), recorder, loop.time() - 0.5, lambda: loop)
    assert list(recorder.latencies_ms) == pytest.approx([500, 1500, 2500])
    assert elapsed.wall_ms == pytest.approx(2500)


def test_tasks_are_those_of_the_shard(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop
) -> None:
    """Only the sessions of the shard run, by their own numbers."""
    recorder = Recorder(2, counters)
    run_in_tasks(FakeArm(), range(1, 4, 2), recorder, loop.time(), lambda: loop)
    assert list(recorder.latencies_ms) == pytest.approx([1000, 3000])


def test_tasks_are_all_started_before_any_goes_on(
    counters: SharedCounters, loop: JumpingLoop
) -> None:
    """A thousand sessions with a slow start all run at the same time."""
    arm = SlowArm(loop)
    run_in_tasks(arm, range(1000), Recorder(1000, counters), loop.time(), lambda: loop)
    assert arm.most == 1000


def test_threads_are_timed_from_their_common_start(counters: SharedCounters) -> None:
    """The time before the start of a thread is part of its latency."""
    recorder = Recorder(2, counters)
    elapsed = run_in_threads(FakeArm(), range(1, 4, 2), recorder, time.monotonic() - 60)
    assert all(60_000 <= latency_ms <= elapsed.wall_ms for latency_ms in recorder.latencies_ms)
    assert recorder.ok == 2


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError("x"), asyncio.CancelledError("x")])
def test_tasks_that_fail_do_not_affect_the_others(
    counters: SharedCounters, loop: asyncio.AbstractEventLoop, error: BaseException
) -> None:
    """An exception fails its own session only."""
    recorder = Recorder(3, counters)
    run_in_tasks(FakeArm({1: error}), range(3), recorder, loop.time(), lambda: loop)
    assert (recorder.ok, recorder.errors) == (2, 1)
    assert recorder.err_sample == f"{type(error).__name__}: x"


def test_threads_that_fail_do_not_affect_the_others(counters: SharedCounters) -> None:
    """An exception fails its own session only."""
    recorder = Recorder(4, counters)
    run_in_threads(FakeArm({2: MemoryError("x")}), range(4), recorder, time.monotonic())
    assert (recorder.ok, recorder.errors) == (3, 1)
    assert recorder.err_sample == "MemoryError: x"


def test_threads_that_cannot_be_started_are_failed_sessions(
    counters: SharedCounters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run continues without them, and ends."""
    start: Callable[[threading.Thread], None] = threading.Thread.start
    starts = iter(range(5))

    def start_three(thread: threading.Thread) -> None:
        if next(starts) >= 3:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_three)
    recorder = Recorder(5, counters)
    run_in_threads(FakeArm(), range(5), recorder, time.monotonic())
    assert (recorder.ok, recorder.errors) == (3, 2)
    assert recorder.err_sample == "RuntimeError: can't start new thread"
