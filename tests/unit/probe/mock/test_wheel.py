"""The timer wheel, on a loop with a virtual clock."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal

import pytest

from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.wheel import TOKEN, TimerWheel, slip_of

Pacing = Literal["sleep", "server"]
Loop = asyncio.AbstractEventLoop
Advance = Callable[[float], None]


class WheelRun:
    """A wheel and the times of its tokens, in ms since its creation."""

    def __init__(self, loop: Loop, deliveries: Deliveries, pacing: Pacing, **load: int) -> None:
        load = {"ttft_ms": 10, "tokens": 3, "tok_ms": 5} | load
        self.loop = loop
        self.wheel = TimerWheel(loop, pacing=pacing, deliveries=deliveries, **load)
        self.start_s = loop.time()
        self.came_ms: list[int] = []
        self.wakes = 0

    def now_ms(self) -> int:
        """Return the time on the loop's clock, to the nearest ms."""
        return round((self.loop.time() - self.start_s) * 1000)

    def note(self, token: str) -> None:
        """Record the time of a token."""
        assert token == TOKEN
        self.came_ms.append(self.now_ms())

    async def stream(self, on_delta: Callable[[str], object] | None = None) -> int:
        """Run one stream, and return the time of its end."""
        waiting = self.wheel.join(on_delta or self.note)
        try:
            await waiting
        except BaseException:
            self.wheel.leave(waiting)
            raise
        return self.now_ms()

    def until_end(self, *streams: Awaitable[int]) -> list[int | BaseException]:
        """Run streams together, and return their ends or errors."""

        async def all_of_them() -> list[int | BaseException]:
            return await asyncio.gather(*streams, return_exceptions=True)

        return self.loop.run_until_complete(all_of_them())


@pytest.fixture
def make_run(loop: Loop, deliveries: Deliveries) -> Callable[..., WheelRun]:
    """Provide a maker of wheels."""

    def make(pacing: Pacing = "sleep", **load: int) -> WheelRun:
        return WheelRun(loop, deliveries, pacing, **load)

    return make


@pytest.mark.parametrize("pacing", ["sleep", "server"])
def test_wheel_on_time_takes_the_nominal_turn(
    make_run: Callable[..., WheelRun], deliveries: Deliveries, pacing: Pacing
) -> None:
    """Tokens come at ttft and then every tok; the end one tok after the last."""
    run = make_run(pacing)
    assert run.until_end(run.stream()) == [25]
    assert run.came_ms == [10, 15, 20]
    assert dict(deliveries.lags) == {0: 3}


@pytest.mark.parametrize(
    ("load", "came_ms", "end_ms"),
    [
        ({"tokens": 0}, [], 10),
        ({"tok_ms": 0}, [10, 10, 10], 10),
        ({"ttft_ms": 0}, [0, 5, 10], 15),
        ({"ttft_ms": 0, "tokens": 0}, [], 0),
    ],
)
def test_wheel_serves_loads_of_zero(
    make_run: Callable[..., WheelRun], load: dict[str, int], came_ms: list[int], end_ms: int
) -> None:
    """A zero among tokens, tok_ms and ttft_ms leaves the rest of the schedule."""
    run = make_run(**load)
    assert run.until_end(run.stream()) == [end_ms]
    assert run.came_ms == came_ms


def test_wheel_under_sleep_pacing_times_the_next_token_from_a_late_one(
    make_run: Callable[..., WheelRun], advance: Advance, deliveries: Deliveries
) -> None:
    """Work that blocks the loop for 9 ms delays every later token."""
    run = make_run("sleep")
    run.loop.call_later(0.009, advance, 9)
    assert run.until_end(run.stream()) == [33]
    assert run.came_ms == [18, 23, 28]
    assert dict(deliveries.lags) == {8: 1, 0: 2}


def test_wheel_under_server_pacing_keeps_its_schedule(
    make_run: Callable[..., WheelRun], advance: Advance, deliveries: Deliveries
) -> None:
    """The same work makes two tokens late, which come at once; the end is on time."""
    run = make_run("server")
    run.loop.call_later(0.009, advance, 9)
    assert run.until_end(run.stream()) == [25]
    assert run.came_ms == [18, 18, 20]
    assert dict(deliveries.lags) == {8: 1, 3: 1, 0: 1}


def test_wheel_that_is_late_returns_to_the_loop(
    make_run: Callable[..., WheelRun], advance: Advance
) -> None:
    """Tokens that become due during a delivery wait for other callbacks."""
    run = make_run("server", tok_ms=1)
    order: list[str] = []

    def slow(_token: str) -> None:
        order.append("token")
        advance(1)
        run.loop.call_soon(order.append, "other")

    run.until_end(run.stream(slow))
    assert order[:4] == ["token", "other", "token", "other"]


@pytest.mark.parametrize(
    ("lag_ms", "slip"), [(0, 0), (1, 0), (1.49, 0), (1.5, 1), (8.9, 8), (-0.2, 0)]
)
def test_slip_ignores_the_lag_of_waits_in_whole_ms(lag_ms: float, slip: int) -> None:
    """Less than 1.5 ms late is on time; a longer lag counts in whole ms."""
    assert slip_of(lag_ms) == slip


def test_wheel_keeps_streams_of_a_tick_together(make_run: Callable[..., WheelRun]) -> None:
    """Streams that join in one tick form one batch, in order of arrival."""
    run = make_run()
    order: list[int] = []
    streams = [run.stream(partial(note_number, order, number)) for number in range(4)]
    sizes: list[list[int]] = []
    run.loop.call_later(0.012, lambda: sizes.append(batch_sizes(run.wheel)))
    assert run.until_end(*streams) == [25] * 4
    assert sizes == [[4]]
    assert order == [0, 1, 2, 3] * 3


def test_wheel_merges_batches_that_were_served_in_one_late_tick(
    make_run: Callable[..., WheelRun], advance: Advance
) -> None:
    """Under sleep pacing two batches that are served in one late tick become one."""
    run = make_run()
    sizes: list[list[int]] = []

    async def later() -> int:
        await asyncio.sleep(0.003)
        return await run.stream()

    run.loop.call_later(0.0095, advance, 15)
    run.loop.call_later(0.026, lambda: sizes.append(batch_sizes(run.wheel)))
    run.until_end(run.stream(), later())
    assert sizes == [[2]]


def test_wheel_removes_a_cancelled_stream(make_run: Callable[..., WheelRun]) -> None:
    """A cancelled stream gets no more tokens; others in its batch get all."""
    run = make_run()
    others: list[str] = []

    async def both() -> tuple[object, object]:
        cancelled = asyncio.create_task(run.stream())
        other = asyncio.create_task(run.stream(others.append))
        run.loop.call_later(0.012, cancelled.cancel)
        return await asyncio.gather(cancelled, other, return_exceptions=True)

    ended = run.loop.run_until_complete(both())
    assert isinstance(ended[0], asyncio.CancelledError)
    assert ended[1] == 25
    assert run.came_ms == [10]
    assert others == [TOKEN] * 3
    assert batch_sizes(run.wheel) == []


def test_wheel_removes_a_stream_while_its_batch_is_served(
    make_run: Callable[..., WheelRun],
) -> None:
    """A stream that leaves during the delivery of its batch gets no token."""
    run = make_run()
    left: list[str] = []
    streams: list[asyncio.Future[None]] = []

    async def leave_from_within() -> None:
        streams.append(run.wheel.join(lambda _: run.wheel.leave(streams[1])))
        streams.append(run.wheel.join(left.append))
        await streams[0]

    run.loop.run_until_complete(leave_from_within())
    assert left == []
    assert not streams[1].done()


@pytest.mark.parametrize("error", [ValueError("no"), MemoryError(), asyncio.CancelledError()])
def test_wheel_isolates_a_stream_that_raises(
    make_run: Callable[..., WheelRun], error: BaseException
) -> None:
    """An exception of on_delta ends its own stream; the others in the batch go on."""
    run = make_run()
    before: list[str] = []
    after: list[str] = []

    def fail(_token: str) -> None:
        raise error

    ended = run.until_end(run.stream(before.append), run.stream(fail), run.stream(after.append))
    assert ended[0] == ended[2] == 25
    assert type(ended[1]) is type(error)
    assert len(before) == len(after) == 3


def test_wheel_turns_stop_iteration_into_an_error(make_run: Callable[..., WheelRun]) -> None:
    """The one exception that a future refuses also ends its stream."""
    run = make_run()

    def stop(_token: str) -> None:
        raise StopIteration

    (ended,) = run.until_end(run.stream(stop))
    assert isinstance(ended, RuntimeError)


def test_wheel_does_not_catch_an_interrupt(make_run: Callable[..., WheelRun]) -> None:
    """An interrupt belongs to no stream: it ends the loop."""
    run = make_run()

    def interrupt(_token: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.until_end(run.stream(interrupt))


def test_wheel_serves_a_stream_that_joins_ahead_of_the_others(
    loop: Loop, deliveries: Deliveries
) -> None:
    """A stream that is due first moves the timer forward."""
    late = TimerWheel(loop, ttft_ms=50, tokens=0, tok_ms=0, pacing="sleep", deliveries=deliveries)
    order: list[str] = []

    async def both() -> None:
        first = late.join(lambda _: None)
        first.add_done_callback(lambda _: order.append("first"))
        late._ttft_ms = 5
        await late.join(lambda _: None)
        order.append("second")
        await first

    loop.run_until_complete(both())
    assert order == ["second", "first"]


def test_wheel_counts_the_lag_of_slow_deliveries(
    make_run: Callable[..., WheelRun], advance: Advance, deliveries: Deliveries
) -> None:
    """In a batch whose delivery takes 4 ms, the lag is spread over those 4 ms."""
    run = make_run(tokens=1)
    run.until_end(*(run.stream(lambda _: advance(2)) for _ in range(2)))
    assert sum(deliveries.lags.values()) == 2
    assert max(deliveries.lags) == 4


def note_number(order: list[int], number: int, _token: str) -> None:
    """Record which stream a token belongs to."""
    order.append(number)


def batch_sizes(wheel: TimerWheel) -> list[int]:
    """Return the sizes of the batches on a wheel, in the order of their ticks."""
    return [len(wheel._batches[tick].streams) for tick in sorted(wheel._batches)]
