"""Injected regressions: additions to turns and sessions, and none without a toggle."""

import asyncio
import gc
import sys
import threading
import tracemalloc
from collections.abc import Callable

import pytest

from escapement import LLMRequest
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Injection, Settings
from harness.probe.shared_counters import SharedCounters
from harness.probe.worker import injection
from harness.probe.worker.arms import HandArm
from harness.probe.worker.executors import run_in_tasks
from harness.probe.worker.injection import (
    InjectedArm,
    InjectedFailureError,
    InjectedMockLLM,
    burn,
    inject,
    make_bytes,
    make_llm,
)
from harness.probe.worker.recorder import Recorder
from tests.unit.probe.conftest import JumpingLoop

REQUEST = LLMRequest("s", "", (), ())


class WatchedArm:
    """An arm whose sessions record an observation.

    Attributes:
        seen: The observation of each session, by index.
    """

    def __init__(self, observe: Callable[[], object] = lambda: None) -> None:
        self._observe = observe
        self.seen: dict[int, object] = {}

    def run(self, index: int) -> None:
        """Record the observation."""
        self.seen[index] = self._observe()

    async def arun(self, index: int) -> None:
        """Record the observation, after one turn of the loop."""
        await asyncio.sleep(0)
        self.run(index)


def _drive(arm: InjectedArm, indices: range, *, is_virtual: bool) -> list[BaseException | None]:
    """Run sessions in either mode, and return their errors."""

    async def together() -> list[BaseException | None]:
        return await asyncio.gather(*map(arm.arun, indices), return_exceptions=True)

    def alone(index: int) -> BaseException | None:
        try:
            arm.run(index)
        except InjectedFailureError as error:
            return error
        return None

    return asyncio.run(together()) if is_virtual else [alone(index) for index in indices]


def test_injection_of_nothing_wraps_nothing(
    make_settings: Callable[..., Settings], deliveries: Deliveries
) -> None:
    """Without a toggle the arm and the mock are the normal ones."""
    arm = WatchedArm()
    assert inject(arm, Injection()) is arm
    assert inject(arm, Injection(work=5)) is arm
    assert type(make_llm(make_settings(), deliveries)) is MockLLM
    held = make_settings(injection=Injection(threads=1, held_bytes=1, failing=1))
    assert type(make_llm(held, deliveries)) is MockLLM


@pytest.mark.parametrize("is_virtual", [True, False])
def test_injection_fails_every_nth_session_after_its_work(*, is_virtual: bool) -> None:
    """Of 9 sessions with every third failing, 2, 5 and 8 fail, after their work."""
    arm = WatchedArm()
    ends = _drive(InjectedArm(arm, Injection(failing=3)), range(9), is_virtual=is_virtual)
    assert [index for index, end in enumerate(ends) if end] == [2, 5, 8]
    assert sorted(arm.seen) == list(range(9))
    assert str(ends[2]) == "session 2 failed on purpose: SCALE_INJECT_FAILING=3"


def test_injection_of_one_failure_among_a_thousand_is_one() -> None:
    """With C=1000 and N=1000 exactly one session fails: the last."""
    arm = InjectedArm(WatchedArm(), Injection(failing=1000))
    ends = _drive(arm, range(1000), is_virtual=False)
    assert [index for index, end in enumerate(ends) if end] == [999]


@pytest.mark.parametrize("is_virtual", [True, False])
def test_injection_holds_threads_for_the_life_of_a_session(*, is_virtual: bool) -> None:
    """The threads of a session exist while it runs, and end afterwards."""
    before = set(threading.enumerate())
    arm = WatchedArm(lambda: set(threading.enumerate()) - before)
    assert _drive(InjectedArm(arm, Injection(threads=3)), range(1), is_virtual=is_virtual) == [
        None
    ]
    held = arm.seen[0]
    assert isinstance(held, set)
    assert len(held) == 3
    for thread in held:
        thread.join(10)
        assert not thread.is_alive()


def test_injection_of_a_thread_that_cannot_be_started_fails_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session raises the error as a runtime would; its earlier threads end."""
    started: list[threading.Thread] = []

    class LimitedThread(threading.Thread):
        """A thread class whose third instance cannot start."""

        def start(self) -> None:
            if len(started) == 2:
                msg = "can't start new thread"
                raise RuntimeError(msg)
            started.append(self)
            super().start()

    monkeypatch.setattr(threading, "Thread", LimitedThread)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        InjectedArm(WatchedArm(), Injection(threads=3)).run(0)
    for thread in started:
        thread.join(10)
        assert not thread.is_alive()


def test_injection_holds_bytes_for_the_life_of_a_session() -> None:
    """The memory is traced while the session runs, and freed afterwards."""
    arm = WatchedArm(lambda: tracemalloc.get_traced_memory()[0])
    bulky = InjectedArm(arm, Injection(held_bytes=1 << 20))
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        bulky.run(0)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert arm.seen[0] == pytest.approx(before + (1 << 20), abs=1 << 15)
    assert after == pytest.approx(before, abs=1 << 15)


def test_injected_bytes_are_one_object_of_a_session_alone() -> None:
    """Sessions share no bytes, every page is written, sizes are multiples of 8."""
    assert (len(make_bytes(0, 0)), len(make_bytes(0, 1)), len(make_bytes(0, 4096))) == (0, 8, 4096)
    assert make_bytes(0, 4096) != make_bytes(1, 4096)
    pages = [make_bytes(255, 3 * 4096)[at : at + 4096] for at in (0, 4096, 8192)]
    assert all(any(page) for page in pages)
    assert sys.getsizeof(make_bytes(7, 1 << 20)) < (1 << 20) + 100


@pytest.mark.parametrize("is_virtual", [True, False])
def test_injection_works_once_a_turn_where_the_turn_ends(
    make_settings: Callable[..., Settings],
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_virtual: bool,
) -> None:
    """The work follows the last token on the caller's thread."""
    events: list[object] = []
    monkeypatch.setattr(
        injection, "burn", lambda n: events.append((n, threading.current_thread().name))
    )
    settings = make_settings(injection=Injection(work=7), ttft_ms=0, tokens=2, tok_ms=0)
    llm = make_llm(settings, deliveries)
    assert isinstance(llm, InjectedMockLLM)
    if is_virtual:
        reply = asyncio.run(llm.astream(REQUEST, events.append))
    else:
        reply = llm.stream(REQUEST, events.append)
    assert reply.text == "word word "
    assert events == ["word ", "word ", (7, threading.current_thread().name)]
    assert llm.workers_seen == ("virtual" if is_virtual else "platform")


def test_injection_takes_no_time_of_a_virtual_clock(
    make_settings: Callable[..., Settings],
    deliveries: Deliveries,
    counters: SharedCounters,
    loop: JumpingLoop,
) -> None:
    """Injected work reads no clock: under a virtual clock latency is nominal."""
    worse = Injection(work=1000, threads=2, held_bytes=4096, failing=4)
    settings = make_settings(injection=worse)
    arm = inject(HandArm(settings, make_llm(settings, deliveries)), worse)
    recorder = Recorder(4, counters)
    run_in_tasks(arm, range(4), recorder, loop.time(), lambda: loop)
    nominal_ms = settings.turns * settings.nominal_turn_ms
    assert list(recorder.latencies_ms) == pytest.approx([nominal_ms] * 3)
    assert (recorder.ok, recorder.errors) == (3, 1)


def test_injected_work_runs_the_given_number_of_iterations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each iteration is one round of the loop, with the same result each time."""

    class CountingMask(int):
        """A mask that counts its uses."""

        rounds = 0

        def __rand__(self, other: int) -> int:
            CountingMask.rounds += 1
            return int(self) & other

    assert burn(10) == burn(10) != burn(11)
    monkeypatch.setattr(injection, "_MASK", CountingMask(0x7F))
    burn(300)
    assert CountingMask.rounds == 300
