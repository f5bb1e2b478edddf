"""One timer for all the streams of an event loop: who is due when, and their delivery."""

import asyncio
import heapq
import math
from collections.abc import Callable
from operator import length_hint
from typing import Literal

from harness.probe.deliveries import Deliveries

OnDelta = Callable[[str], object]
Stream = asyncio.Future[None]
Cohort = dict[
    Stream, OnDelta
]  # in order of arrival; a dict, so that leaving costs the same for any size

TOKEN = "word "  # noqa: S105 (a token of text)
_TICKS_PER_S = 1000.0
_SLACK_TICKS = 0.001  # 1 us: a time that is a tick but for rounding is that tick
_ON_TIME_TICKS = 1.5  # epoll waits in whole ms, rounded up: a loop that is idle wakes up to 1 ms late, and then some


class TimerWheel:
    """Delivers the tokens of every stream of one loop, in ticks of 1 ms.

    Streams that are due in the same tick with as many tokens left are one cohort: one list with one countdown. A token then
    costs one call of ``on_delta``, and a stream is touched by itself only when it joins, ends, fails or is cancelled.

    All that is due when the loop wakes is served, in order, and then the loop has its turn again.

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
        self._origin_s = loop.time()
        self._ttft_ms = ttft_ms
        self._tokens = tokens
        self._tok_ms = tok_ms
        self._is_sleep_paced = pacing == "sleep"
        self._deliveries = deliveries
        self._cohorts: dict[int, dict[int, Cohort]] = {}  # tick due -> tokens left -> cohort
        self._ticks: list[int] = []  # heap of the keys of _cohorts
        self._timer: asyncio.TimerHandle | None = None
        self._is_serving = False
        self._served: Cohort = {}
        self._gone: list[Stream] = []

    def join(self, on_delta: OnDelta) -> Stream:
        """Start a stream.

        Returns:
            What to await: it ends with the stream, or with what `on_delta` raised. Who gives up waiting calls `leave`.
        """
        stream = self._loop.create_future()
        due = math.ceil(self._now_ticks() - _SLACK_TICKS) + self._ttft_ms
        self._place(due, self._tokens, {stream: on_delta})
        if not self._is_serving:
            self._arm()
        return stream

    def leave(self, stream: Stream) -> None:
        """Take a stream off the wheel, whether or not it is still on it."""
        if stream in self._served:
            self._served[stream] = _ignore
            self._gone.append(stream)
            return
        for by_left in self._cohorts.values():
            for cohort in by_left.values():
                if cohort.pop(stream, None) is not None:
                    return

    def _now_ticks(self) -> float:
        return (self._loop.time() - self._origin_s) * _TICKS_PER_S

    def _place(self, due: int, left: int, cohort: Cohort) -> None:
        by_left = self._cohorts.get(due)
        if by_left is None:
            by_left = self._cohorts[due] = {}
            heapq.heappush(self._ticks, due)
        there = by_left.get(left)
        if there is None:
            by_left[left] = cohort
        else:
            there.update(cohort)

    def _arm(self) -> None:
        if not self._ticks:
            return
        when_s = self._origin_s + self._ticks[0] / _TICKS_PER_S
        if self._timer is not None:
            if self._timer.when() <= when_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._is_serving = True
        try:
            self._serve_until(math.floor(self._now_ticks() + _SLACK_TICKS))
        finally:
            self._is_serving = False
            self._arm()

    def _serve_until(self, limit: int) -> None:
        while self._ticks and self._ticks[0] <= limit:
            due = self._ticks[0]
            by_left = self._cohorts[due]
            while by_left:
                left = next(iter(by_left))
                cohort = by_left.pop(left)
                if left:
                    self._serve(due, left, cohort)
                else:
                    _finish(cohort)
            heapq.heappop(self._ticks)
            del self._cohorts[due]

    def _serve(self, due: int, left: int, cohort: Cohort) -> None:
        first_lag = self._now_ticks() - due + _SLACK_TICKS
        tokens = len(cohort)
        self._served = cohort
        try:
            self._deliver(cohort)
        finally:
            self._served = {}
            while self._gone:
                cohort.pop(self._gone.pop(), None)
            last_lag = self._now_ticks() - due + _SLACK_TICKS
            self._deliveries.add_cohort(math.floor(first_lag), math.floor(last_lag), tokens)
            if cohort:
                slip = slip_of(first_lag) if self._is_sleep_paced else 0
                self._place(due + slip + self._tok_ms, left - 1, cohort)

    def _deliver(self, cohort: Cohort) -> None:
        waiting = iter(cohort.values())
        while True:
            try:
                for on_delta in waiting:
                    on_delta(TOKEN)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 (it is the stream's to handle, and no other's)
                position = len(cohort) - length_hint(waiting) - 1
                stream = list(cohort)[position]
                self._gone.append(stream)
                _fail(stream, error)
            else:
                return


def slip_of(lag_ms: float) -> int:
    """Return by how many whole ms a late delivery puts off the next one, under sleep pacing.

    The next one is timed from the tick of this delivery; but a delivery that is late by less than 1.5 ms is on time, so that
    a loop that can only wait for whole ms adds nothing.
    """
    return math.floor(lag_ms) if lag_ms >= _ON_TIME_TICKS else 0


def _ignore(_token: str) -> None:
    """Stand in for a stream that left while its cohort was being served."""


def _finish(cohort: Cohort) -> None:
    for stream in cohort:
        if not stream.done():
            stream.set_result(None)


def _fail(stream: Stream, error: BaseException) -> None:
    if stream.done():
        return
    if isinstance(error, asyncio.CancelledError):
        stream.cancel()
    elif isinstance(error, StopIteration):  # a future takes every exception but this one
        stream.set_exception(RuntimeError("on_delta raised StopIteration"))
    else:
        stream.set_exception(error)
