"""Delayed events: armed by the session's clock, remembered by the calendar."""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from escapement.event import Event, Timer


def read_calendar_s() -> float:
    """Return the wall time in seconds since the epoch.

    Only what outlives the process goes by it; nothing waits by it.
    """
    return datetime.now(tz=UTC).timestamp()


class Clock(Protocol):
    """What a session waits by; an event loop is one."""

    def time(self) -> float:
        """Return seconds that only go forward."""
        ...


class Timers:
    """The delayed events of one session that have not fallen due.

    Args:
        clock: What the session waits by.
        calendar_s: Seconds since the epoch.

    Source: SCXML 6.2.4, delayed delivery, and 6.3, `<cancel>`.
    """

    __slots__ = ("_armed", "_calendar_s", "_clock", "_count")

    def __init__(self, clock: Clock, calendar_s: Callable[[], float] = read_calendar_s) -> None:
        self._clock = clock
        self._calendar_s = calendar_s
        self._count = 0
        self._armed: list[tuple[float, int, Timer]] = []  # a heap: due by the clock, order, timer

    def __bool__(self) -> bool:
        return bool(self._armed)

    @property
    def next_due_s(self) -> float:
        """When the next one falls due, by the session's clock; there must be one."""
        return self._armed[0][0]

    def arm(self, event: Event, delay_s: float, timer_id: str | None) -> None:
        """Have an event fall due after a delay."""
        self._push(
            self._clock.time() + delay_s, Timer(event, self._calendar_s() + delay_s, timer_id)
        )

    def rearm(self, timers: Iterable[Timer]) -> None:
        """Go on with those of a checkpoint; what is overdue falls due at once, in order."""
        elapsed_s = self._calendar_s() - self._clock.time()
        for timer in timers:
            self._push(timer.due_s - elapsed_s, timer)

    def cancel(self, timer_id: str) -> None:
        """Forget all those of an id; one that has fallen due is past cancelling."""
        self._armed = [entry for entry in self._armed if entry[2].id != timer_id]
        heapq.heapify(self._armed)

    def take_due(self) -> list[Event]:
        """Remove and return the events that have fallen due, in order."""
        now_s, due = self._clock.time(), []
        while self._armed and self._armed[0][0] <= now_s:
            due.append(heapq.heappop(self._armed)[2].event)
        return due

    def pending(self) -> tuple[Timer, ...]:
        """List the rest, the next one first."""
        return tuple(timer for _, _, timer in sorted(self._armed))

    def _push(self, due_s: float, timer: Timer) -> None:
        self._count += 1
        heapq.heappush(self._armed, (due_s, self._count, timer))
