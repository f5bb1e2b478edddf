"""One timer for all streams of an event loop: it delivers the tokens that are due."""

import asyncio
import heapq
import math
from collections import deque
from operator import length_hint

from harness.probe.mock.batch import Batch, OnDelta, Stream
from harness.probe.mock.deliveries import Deliveries
from harness.probe.settings import Pacing

TOKEN = "word "  # noqa: S105 (a token of text)
_TICKS_PER_S = 1000.0
_SLACK_TICKS = 0.001  # 1 us: tolerance for rounding errors
_ON_TIME_TICKS = 1.5  # epoll waits in whole ms, rounded up: an idle loop wakes over 1 ms late
_ENDS_PER_TURN = 64  # half a tick, with 8 us of work after each end


class TimerWheel:
    """Delivers the tokens of all streams of one loop, in ticks of 1 ms.

    Streams that are due in the same tick form one `Batch`. When the loop wakes, the wheel
    delivers all due tokens in order and then returns to the loop.

    Streams end 64 at a time. In between, the loop takes a turn and the wheel delivers the
    tokens that are due by then. Otherwise thousands of streams that end in one tick would all
    wake up before the next token and delay every stream in flight.

    Args:
        loop: Its clock is the only one in use.
        ttft_ms: Time from joining to the first token.
        tokens: Tokens of each stream; the stream ends when one more would be due.
        tok_ms: Time from a token to the next.
        pacing: ``sleep`` times the next token from the delivery of the last (see `slip_of`),
            ``server`` from the time at which the last was due.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        ttft_ms: int,
        tokens: int,
        tok_ms: int,
        pacing: Pacing,
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
        self._batches: dict[int, Batch] = {}  # by the tick in which it is due
        self._ticks: list[int] = []  # heap of the keys of _batches
        self._batch_of: dict[Stream, Batch] = {}  # the batch that each joined
        self._ending: deque[Stream] = deque()
        self._timer: asyncio.Handle | None = None
        self._timer_tick = math.inf
        self._is_serving = False
        self._served: Batch | None = None
        self._leavers: list[Stream] = []

    def join(self, on_delta: OnDelta) -> Stream:
        """Start a stream.

        Args:
            on_delta: Called with each token.

        Returns:
            A future: done when the stream ends, or failed with the exception of `on_delta`. A
            caller that stops waiting for it calls `leave`.
        """
        stream = self._loop.create_future()
        due = math.ceil(self._now_ticks() - _SLACK_TICKS) + self._ttft_ms
        batch = self._batches.get(due)
        if batch is None:
            batch = Batch()
            self._place(due, batch)
        batch.add(stream, on_delta, self._tokens)
        self._batch_of[stream] = batch
        if due < self._timer_tick and not self._is_serving:
            self._set_timer()
        return stream

    def leave(self, stream: Stream) -> None:
        """Remove a stream, if it is still on the wheel."""
        batch = self._batch_of.pop(stream, None)
        if batch is None:
            return
        batch = batch.current
        if batch is self._served and stream in batch.streams:
            batch.streams[stream] = _ignore
            self._leavers.append(stream)
        else:
            batch.streams.pop(stream, None)

    def _now_ticks(self) -> float:
        return (self._now_s() - self._origin_s) * _TICKS_PER_S

    def _place(self, due: int, batch: Batch) -> None:
        there = self._batches.get(due)
        if there is None:
            self._batches[due] = batch
            heapq.heappush(self._ticks, due)
        else:
            self._batches[due] = there.merge(batch)

    def _set_timer(self) -> None:
        """Set the loop's timer to the next tick, or to now while streams end."""
        tick = self._ticks[0] if self._ticks else math.inf
        if self._ending:
            tick = -math.inf
        if tick >= self._timer_tick:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_tick = tick
        if self._ending:
            self._timer = self._loop.call_soon(self._wake)
        else:
            self._timer = self._loop.call_at(self._origin_s + tick / _TICKS_PER_S, self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_tick = None, math.inf
        self._is_serving = True
        try:
            self._serve_until(math.floor(self._now_ticks() + _SLACK_TICKS))
            self._end_some()
        finally:
            self._is_serving = False
            self._set_timer()

    def _serve_until(self, limit: int) -> None:
        while self._ticks and self._ticks[0] <= limit:
            due = heapq.heappop(self._ticks)
            batch = self._batches.pop(due)
            self._ending.extend(batch.next_round())
            if batch.streams:
                self._serve(due, batch)

    def _serve(self, due: int, batch: Batch) -> None:
        first_lag = self._now_ticks() - due + _SLACK_TICKS
        tokens = len(batch.streams)
        self._served = batch
        try:
            self._deliver(batch.streams)
        finally:
            self._served = None
            while self._leavers:
                batch.streams.pop(self._leavers.pop(), None)
            last_lag = self._now_ticks() - due + _SLACK_TICKS
            self._deliveries.add_round(math.floor(first_lag), math.floor(last_lag), tokens)
            if batch.streams:
                slip = slip_of(first_lag) if self._is_sleep_paced else 0
                self._place(due + slip + self._tok_ms, batch)

    def _deliver(self, streams: dict[Stream, OnDelta]) -> None:
        waiting = iter(streams.values())
        while True:
            try:
                for on_delta in waiting:
                    on_delta(TOKEN)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 (it belongs to this stream alone)
                position = len(streams) - length_hint(waiting) - 1
                stream = list(streams)[position]
                self._batch_of.pop(stream, None)
                self._leavers.append(stream)
                _fail(stream, error)
            else:
                return

    def _end_some(self) -> None:
        for _ in range(min(_ENDS_PER_TURN, len(self._ending))):
            stream = self._ending.popleft()
            self._batch_of.pop(stream, None)
            if not stream.done():
                stream.set_result(None)


def slip_of(lag_ms: float) -> int:
    """Return the delay, in whole ms, of the next token after a late one.

    Sleep pacing times the next token from the tick of the last delivery. A delivery less than
    1.5 ms late counts as on time, so that a loop that waits in whole ms adds no delay.
    """
    return math.floor(lag_ms) if lag_ms >= _ON_TIME_TICKS else 0


def _ignore(_token: str) -> None:
    """Replace the callback of a stream that left while its batch was served."""


def _fail(stream: Stream, error: BaseException) -> None:
    if stream.done():
        return
    if isinstance(error, asyncio.CancelledError):
        stream.cancel()
    elif isinstance(error, StopIteration):  # the one exception that a future refuses
        stream.set_exception(RuntimeError("on_delta raised StopIteration"))
    else:
        stream.set_exception(error)
