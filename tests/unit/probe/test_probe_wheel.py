"""The timer wheel, on a loop whose clock jumps."""

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


class Bench:
    """A wheel, and when each token came, in ms since it was made."""

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
        """Take a token."""
        assert token == TOKEN
        self.came_ms.append(self.now_ms())

    async def stream(self, on_delta: Callable[[str], object] | None = None) -> int:
        """Run one stream, and return when it ended."""
        waiting = self.wheel.join(on_delta or self.note)
        try:
            await waiting
        except BaseException:
            self.wheel.leave(waiting)
            raise
        return self.now_ms()

    def run(self, *streams: Awaitable[int]) -> list[int | BaseException]:
        """Run streams together to their ends or failures."""

        async def all_of_them() -> list[int | BaseException]:
            return await asyncio.gather(*streams, return_exceptions=True)

        return self.loop.run_until_complete(all_of_them())


@pytest.fixture
def bench(loop: Loop, deliveries: Deliveries) -> Callable[..., Bench]:
    """Provide a maker of benches."""

    def make(pacing: Pacing = "sleep", **load: int) -> Bench:
        return Bench(loop, deliveries, pacing, **load)

    return make


@pytest.mark.parametrize("pacing", ["sleep", "server"])
def test_wheel_on_time_takes_the_nominal_turn(
    bench: Callable[..., Bench], deliveries: Deliveries, pacing: Pacing
) -> None:
    """Tokens arrive at ttft and then every tok; the end one tok after the last."""
    b = bench(pacing)
    assert b.run(b.stream()) == [25]
    assert b.came_ms == [10, 15, 20]
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
    bench: Callable[..., Bench], load: dict[str, int], came_ms: list[int], end_ms: int
) -> None:
    """No tokens, no gap and no ttft each take just the rest."""
    b = bench(**load)
    assert b.run(b.stream()) == [end_ms]
    assert b.came_ms == came_ms


def test_wheel_under_sleep_pacing_times_the_next_token_from_a_late_one(
    bench: Callable[..., Bench], advance: Advance, deliveries: Deliveries
) -> None:
    """Work that holds the loop for 9 ms puts off every token after it."""
    b = bench("sleep")
    b.loop.call_later(0.009, advance, 9)
    assert b.run(b.stream()) == [33]
    assert b.came_ms == [18, 23, 28]
    assert dict(deliveries.lags) == {8: 1, 0: 2}


def test_wheel_under_server_pacing_keeps_its_schedule(
    bench: Callable[..., Bench], advance: Advance, deliveries: Deliveries
) -> None:
    """The same work makes two tokens late, which come in a row; the end is on time."""
    b = bench("server")
    b.loop.call_later(0.009, advance, 9)
    assert b.run(b.stream()) == [25]
    assert b.came_ms == [18, 18, 20]
    assert dict(deliveries.lags) == {8: 1, 3: 1, 0: 1}


def test_wheel_that_is_late_lets_the_loop_have_its_turn(
    bench: Callable[..., Bench], advance: Advance
) -> None:
    """Tokens that become due during delivery wait for other ready callbacks."""
    b = bench("server", tok_ms=1)
    order: list[str] = []

    def slow(_token: str) -> None:
        order.append("token")
        advance(1)
        b.loop.call_soon(order.append, "other")

    b.run(b.stream(slow))
    assert order[:4] == ["token", "other", "token", "other"]


@pytest.mark.parametrize(
    ("lag_ms", "slip"), [(0, 0), (1, 0), (1.49, 0), (1.5, 1), (8.9, 8), (-0.2, 0)]
)
def test_slip_forgives_what_waiting_in_whole_ms_adds(lag_ms: float, slip: int) -> None:
    """Less than 1.5 ms late is on time; else the tick of delivery counts."""
    assert slip_of(lag_ms) == slip


def test_wheel_keeps_streams_of_a_tick_together(bench: Callable[..., Bench]) -> None:
    """Streams that join in one tick are one lane, in order of arrival."""
    b = bench()
    order: list[int] = []
    streams = [b.stream(partial(note_number, order, number)) for number in range(4)]
    sizes: list[list[int]] = []
    b.loop.call_later(0.012, lambda: sizes.append(lane_sizes(b.wheel)))
    assert b.run(*streams) == [25] * 4
    assert sizes == [[4]]
    assert order == [0, 1, 2, 3] * 3


def test_wheel_merges_lanes_that_were_served_in_one_late_tick(
    bench: Callable[..., Bench], advance: Advance
) -> None:
    """Under sleep pacing two lanes that meet in a late tick go on as one."""
    b = bench()
    sizes: list[list[int]] = []

    async def later() -> int:
        await asyncio.sleep(0.003)
        return await b.stream()

    b.loop.call_later(0.0095, advance, 15)
    b.loop.call_later(0.026, lambda: sizes.append(lane_sizes(b.wheel)))
    b.run(b.stream(), later())
    assert sizes == [[2]]


def test_wheel_lets_a_cancelled_stream_go(bench: Callable[..., Bench]) -> None:
    """A cancelled stream gets no more tokens; others of its lane are unaffected."""
    b = bench()
    others: list[str] = []

    async def both() -> tuple[object, object]:
        cancelled = asyncio.create_task(b.stream())
        other = asyncio.create_task(b.stream(others.append))
        b.loop.call_later(0.012, cancelled.cancel)
        return await asyncio.gather(cancelled, other, return_exceptions=True)

    ended = b.loop.run_until_complete(both())
    assert isinstance(ended[0], asyncio.CancelledError)
    assert ended[1] == 25
    assert b.came_ms == [10]
    assert others == [TOKEN] * 3
    assert lane_sizes(b.wheel) == []


def test_wheel_lets_a_stream_leave_while_its_lane_is_served(bench: Callable[..., Bench]) -> None:
    """A token that makes another stream leave keeps that stream's token from it."""
    b = bench()
    left: list[str] = []
    streams: list[asyncio.Future[None]] = []

    async def leave_from_within() -> None:
        streams.append(b.wheel.join(lambda _: b.wheel.leave(streams[1])))
        streams.append(b.wheel.join(left.append))
        await streams[0]

    b.loop.run_until_complete(leave_from_within())
    assert left == []
    assert not streams[1].done()


@pytest.mark.parametrize("error", [ValueError("no"), MemoryError(), asyncio.CancelledError()])
def test_wheel_keeps_a_raising_stream_from_the_others(
    bench: Callable[..., Bench], error: BaseException
) -> None:
    """An error in on_delta ends only its own stream."""
    b = bench()
    before: list[str] = []
    after: list[str] = []

    def fail(_token: str) -> None:
        raise error

    ended = b.run(b.stream(before.append), b.stream(fail), b.stream(after.append))
    assert ended[0] == ended[2] == 25
    assert type(ended[1]) is type(error)
    assert len(before) == len(after) == 3


def test_wheel_turns_stop_iteration_into_an_error(bench: Callable[..., Bench]) -> None:
    """The one exception that a future refuses still ends its stream."""
    b = bench()

    def stop(_token: str) -> None:
        raise StopIteration

    (ended,) = b.run(b.stream(stop))
    assert isinstance(ended, RuntimeError)


def test_wheel_passes_an_interrupt_on(bench: Callable[..., Bench]) -> None:
    """An interrupt is nobody's token: it ends the loop."""
    b = bench()

    def interrupt(_token: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        b.run(b.stream(interrupt))


def test_wheel_serves_a_stream_that_joins_ahead_of_the_others(
    loop: Loop, deliveries: Deliveries
) -> None:
    """A timer that is set for later is brought forward."""
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


def test_wheel_counts_slow_deliveries_as_they_came(
    bench: Callable[..., Bench], advance: Advance, deliveries: Deliveries
) -> None:
    """In a lane that takes 4 ms to serve, the lag is spread over those 4 ms."""
    b = bench(tokens=1)
    b.run(*(b.stream(lambda _: advance(2)) for _ in range(2)))
    assert sum(deliveries.lags.values()) == 2
    assert max(deliveries.lags) == 4


def note_number(order: list[int], number: int, _token: str) -> None:
    """Take a token, and note whose it was."""
    order.append(number)


def lane_sizes(wheel: TimerWheel) -> list[int]:
    """Return the sizes of the lanes on a wheel, by when they are due."""
    return [len(wheel._lanes[tick].streams) for tick in sorted(wheel._lanes)]
