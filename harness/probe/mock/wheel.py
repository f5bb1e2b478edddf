"""A timer wheel: one timer for all the streams of an event loop."""

import asyncio
import heapq
import math
from collections import deque
from operator import length_hint
from typing import Literal

from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.lane import Lane, OnDelta, Stream

TOKEN = "word "  # noqa: S105 (a token of text)
_TICKS_PER_S = 1000.0
_SLACK_TICKS = 0.001  # 1 us: a time that is a tick but for rounding is that tick
_ON_TIME_TICKS = 1.5  # epoll waits in whole ms, rounded up: a loop that is idle wakes up to 1 ms late, and then some
_ENDS_A_TURN = 64  # of the loop: with 8 us of work after each, half a tick


class TimerWheel:
    """Delivers the tokens of every stream of one loop, in ticks of 1 ms.

    Streams that are due in the same tick are one lane, see there.

    All tokens that are due when the loop wakes are delivered, in order, and then the loop has its turn again. Streams that
    end are let go 64 at a time, with a turn of the loop, and what tokens are due by then, in between. Otherwise thousands that
    end in one tick would all be awake before the next token, and put off every stream in flight.

    Args:
        loop: Its clock is the only one that is looked at.
        ttft_ms: From joining to the first token.
        tokens: Tokens of each stream; the stream ends when one more would be due.
        tok_ms: From a token to the next.
        pacing: ``sleep`` times the next token from the delivery of this one (see `slip_of`), ``server`` from when it was due.
        deliveries: The account of what was delivered, and how late.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        ttft_ms: int,
        tokens: int,
        tok_ms: int,
        pacing: Literal["sleep", "server"],
        deliveries: Deliveries,
    ) -> None:
        self._loop = loop
        self._now_s = loop.time
        self._origin_s = loop.time()
        self._ttft_ms = ttft_ms
        self._tokens = tokens
        self._tok_ms = tok_ms
        self._is_sleep_paced = pacing == "sleep"
        self._deliveries = deliveries
        self._lanes: dict[int, Lane] = {}  # by the tick in which each is due
        self._ticks: list[int] = []  # heap of the keys of _lanes
        self._lane_of: dict[Stream, Lane] = {}  # where each was let in
        self._ending: deque[Stream] = deque()
        self._alarm: asyncio.Handle | None = None
        self._alarm_tick = math.inf
        self._is_serving = False
        self._served: Lane | None = None
        self._gone: list[Stream] = []

    def join(self, on_delta: OnDelta) -> Stream:
        """Start a stream.

        Returns:
            What to await: it ends with the stream, or with what `on_delta` raised. Who gives up waiting calls `leave`.
        """
        stream = self._loop.create_future()
        due = math.ceil(self._now_ticks() - _SLACK_TICKS) + self._ttft_ms
        lane = self._lanes.get(due)
        if lane is None:
            lane = Lane()
            self._place(due, lane)
        lane.add(stream, on_delta, self._tokens)
        self._lane_of[stream] = lane
        if due < self._alarm_tick and not self._is_serving:
            self._set_alarm()
        return stream

    def leave(self, stream: Stream) -> None:
        """Take a stream off the wheel, whether or not it is still on it."""
        lane = self._lane_of.pop(stream, None)
        if lane is None:
            return
        lane = lane.final
        if lane is self._served and stream in lane.streams:
            lane.streams[stream] = _ignore
            self._gone.append(stream)
        else:
            lane.streams.pop(stream, None)

    def _now_ticks(self) -> float:
        return (self._now_s() - self._origin_s) * _TICKS_PER_S

    def _place(self, due: int, lane: Lane) -> None:
        there = self._lanes.get(due)
        if there is None:
            self._lanes[due] = lane
            heapq.heappush(self._ticks, due)
        else:
            self._lanes[due] = there.meet(lane)

    def _set_alarm(self) -> None:
        """Schedule a callback at the next due tick, or at once if streams end."""
        tick = self._ticks[0] if self._ticks else math.inf
        if self._ending:
            tick = -math.inf
        if tick >= self._alarm_tick:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_tick = tick
        if self._ending:
            self._alarm = self._loop.call_soon(self._wake)
        else:
            self._alarm = self._loop.call_at(self._origin_s + tick / _TICKS_PER_S, self._wake)

    def _wake(self) -> None:
        self._alarm, self._alarm_tick = None, math.inf
        self._is_serving = True
        try:
            self._serve_until(math.floor(self._now_ticks() + _SLACK_TICKS))
            self._end_some()
        finally:
            self._is_serving = False
            self._set_alarm()

    def _serve_until(self, limit: int) -> None:
        while self._ticks and self._ticks[0] <= limit:
            due = heapq.heappop(self._ticks)
            lane = self._lanes.pop(due)
            self._ending.extend(lane.next_round())
            if lane.streams:
                self._serve(due, lane)

    def _serve(self, due: int, lane: Lane) -> None:
        first_lag = self._now_ticks() - due + _SLACK_TICKS
        tokens = len(lane.streams)
        self._served = lane
        try:
            self._deliver(lane.streams)
        finally:
            self._served = None
            while self._gone:
                lane.streams.pop(self._gone.pop(), None)
            last_lag = self._now_ticks() - due + _SLACK_TICKS
            self._deliveries.add_round(math.floor(first_lag), math.floor(last_lag), tokens)
            if lane.streams:
                slip = slip_of(first_lag) if self._is_sleep_paced else 0
                self._place(due + slip + self._tok_ms, lane)

    def _deliver(self, streams: dict[Stream, OnDelta]) -> None:
        waiting = iter(streams.values())
        while True:
            try:
                for on_delta in waiting:
                    on_delta(TOKEN)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 (it is the stream's to handle, and no other's)
                position = len(streams) - length_hint(waiting) - 1
                stream = list(streams)[position]
                self._lane_of.pop(stream, None)
                self._gone.append(stream)
                _fail(stream, error)
            else:
                return

    def _end_some(self) -> None:
        for _ in range(min(_ENDS_A_TURN, len(self._ending))):
            stream = self._ending.popleft()
            self._lane_of.pop(stream, None)
            if not stream.done():
                stream.set_result(None)


def slip_of(lag_ms: float) -> int:
    """Return the delay of the next token by a late one, in ms, in sleep pacing.

    The next one is timed from the tick of this delivery; but a delivery that is late by less than 1.5 ms is on time, so that
    a loop that can only wait for whole ms adds nothing.
    """
    return math.floor(lag_ms) if lag_ms >= _ON_TIME_TICKS else 0


def _ignore(_token: str) -> None:
    """Stand in for a stream that left while its lane was being served."""


def _fail(stream: Stream, error: BaseException) -> None:
    if stream.done():
        return
    if isinstance(error, asyncio.CancelledError):
        stream.cancel()
    elif isinstance(error, StopIteration):  # a future takes every exception but this one
        stream.set_exception(RuntimeError("on_delta raised StopIteration"))
    else:
        stream.set_exception(error)
