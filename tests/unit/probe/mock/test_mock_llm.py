"""The mock model, called blocking and awaited."""

import asyncio
from collections.abc import Callable

import pytest

from escapement import LLMRequest, ToolCall
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Settings
from harness.probe.shared_counters import SharedCounters

REQUEST = LLMRequest("session", "", (), ())


class Clock:
    """A clock that advances during a sleep only."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def read(self) -> float:
        """Return the time."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now_s += seconds


def stream_late_once(settings: Settings, deliveries: Deliveries) -> tuple[list[int], int]:
    """Block 9 ms in the first token; return the times of the tokens and of the end."""
    clock = Clock()
    came_ms: list[int] = []

    def on_delta(_token: str) -> None:
        came_ms.append(round((clock.now_s - 50) * 1000))
        if len(came_ms) == 1:
            clock.sleep(0.009)

    MockLLM(settings, deliveries, clock=clock.read, sleep=clock.sleep).stream(REQUEST, on_delta)
    return came_ms, round((clock.now_s - 50) * 1000)


def test_mock_blocking_stream_takes_the_nominal_turn(
    make_settings: Callable[..., Settings], deliveries: Deliveries
) -> None:
    """Tokens come at ttft and then every tok; the reply one tok after the last."""
    clock = Clock()
    came_s: list[float] = []
    llm = MockLLM(make_settings(), deliveries, clock=clock.read, sleep=clock.sleep)
    reply = llm.stream(REQUEST, lambda _: came_s.append(clock.now_s - 50))
    assert came_s == pytest.approx([0.010, 0.015, 0.020])
    assert clock.now_s == pytest.approx(50.025)
    assert reply.tool_call == ToolCall("event__continue")
    assert dict(deliveries.lags) == {0: 3}


def test_mock_blocking_stream_is_delayed_by_a_late_token_under_sleep_pacing(
    make_settings: Callable[..., Settings], deliveries: Deliveries
) -> None:
    """The second token is 4 ms late, which delays the third and the end."""
    assert stream_late_once(make_settings(), deliveries) == ([10, 19, 24], 29)
    assert dict(deliveries.lags) == {0: 2, 4: 1}


def test_mock_blocking_stream_keeps_the_schedule_under_server_pacing(
    make_settings: Callable[..., Settings], deliveries: Deliveries
) -> None:
    """The second token is 4 ms late, the third and the end are on time."""
    assert stream_late_once(make_settings(pacing="server"), deliveries) == ([10, 19, 20], 25)
    assert dict(deliveries.lags) == {0: 2, 4: 1}


def test_mock_counts_the_tokens_of_a_stream_that_fails(
    make_settings: Callable[..., Settings], deliveries: Deliveries, counters: SharedCounters
) -> None:
    """An exception of on_delta reaches the caller; the earlier tokens are counted."""
    clock = Clock()
    llm = MockLLM(make_settings(), deliveries, clock=clock.read, sleep=clock.sleep)
    came: list[str] = []

    def on_delta(token: str) -> None:
        if came:
            raise ValueError(token)
        came.append(token)

    with pytest.raises(ValueError, match="word"):
        llm.stream(REQUEST, on_delta)
    assert sum(deliveries.lags.values()) == 2
    assert counters.deltas == 1


def test_mock_awaited_stream_uses_the_clock_of_the_loop(
    make_settings: Callable[..., Settings], deliveries: Deliveries, loop: asyncio.AbstractEventLoop
) -> None:
    """A turn takes the nominal time on the clock of its loop."""
    llm = MockLLM(make_settings(), deliveries)
    start_s = loop.time()
    came: list[str] = []
    reply = loop.run_until_complete(llm.astream(REQUEST, came.append))
    assert loop.time() - start_s == pytest.approx(0.025)
    assert reply.text == "".join(came)


def test_mock_reports_the_kind_of_workers(
    make_settings: Callable[..., Settings], deliveries: Deliveries, loop: asyncio.AbstractEventLoop
) -> None:
    """Blocked threads are platform workers; awaited streams are virtual ones."""
    clock = Clock()
    llm = MockLLM(make_settings(), deliveries, clock=clock.read, sleep=clock.sleep)
    seen = [llm.workers_seen]
    loop.run_until_complete(llm.astream(REQUEST, lambda _: None))
    seen.append(llm.workers_seen)
    llm.stream(REQUEST, lambda _: None)
    seen.append(llm.workers_seen)
    assert seen == [None, "virtual", "mixed"]


def test_mock_removes_a_cancelled_stream_from_the_wheel(
    make_settings: Callable[..., Settings], deliveries: Deliveries, loop: asyncio.AbstractEventLoop
) -> None:
    """A task that is cancelled during a stream gets no further token."""
    llm = MockLLM(make_settings(), deliveries)
    came: list[str] = []

    async def cancel_after_the_first() -> None:
        task = asyncio.create_task(llm.astream(REQUEST, came.append))
        await asyncio.sleep(0.012)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1)

    loop.run_until_complete(cancel_after_the_first())
    assert len(came) == 1
