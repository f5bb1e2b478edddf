"""The delayed events of a session: due by its own clock, stored by wall time."""

import heapq
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from escapement.event import Event, Timer


def read_wall_s() -> float:
    """Return the wall time in s since the epoch; only stored times use it."""
    return datetime.now(tz=UTC).timestamp()


class Clock(Protocol):
    """The clock of a session; an event loop is one."""

    def time(self) -> float:
        """Return monotonic seconds."""
        ...


class Timers:
    """The delayed events of one session that are not due yet.

    Args:
        clock: The session's clock.
        wall_s: Returns the seconds since the epoch.

    Source: SCXML 6.2.4, delayed delivery, and 6.3, `<cancel>`.
    """

    __slots__ = ("_armed", "_clock", "_count", "_wall_s")

    def __init__(self, clock: Clock, wall_s: Callable[[], float] = read_wall_s) -> None:
        self._clock = clock
        self._wall_s = wall_s
        self._count = 0
        self._armed: list[tuple[float, int, Timer]] = []  # a heap: due by the clock, order, timer

    def __bool__(self) -> bool:
        return bool(self._armed)

    @property
    def next_due_s(self) -> float:
        """The time of the next timer, by the session's clock; needs a timer."""
        return self._armed[0][0]

    def arm(self, event: Event, delay_s: float, timer_id: str | None) -> None:
        """Start a timer for an event."""
        self._push(self._clock.time() + delay_s, Timer(event, self._wall_s() + delay_s, timer_id))

    def rearm(self, timers: Iterable[Timer]) -> None:
        """Resume the timers of a checkpoint; overdue ones are due at once."""
        elapsed_s = self._wall_s() - self._clock.time()
        for timer in timers:
            self._push(timer.due_s - elapsed_s, timer)

    def cancel(self, timer_id: str) -> None:
        """Remove all timers with an id that are not taken by `take_due` yet."""
        self._armed = [entry for entry in self._armed if entry[2].id != timer_id]
        heapq.heapify(self._armed)

    def take_due(self) -> list[Event]:
        """Remove and return the events that are due, in order."""
        now_s, due = self._clock.time(), []
        while self._armed and self._armed[0][0] <= now_s:
            due.append(heapq.heappop(self._armed)[2].event)
        return due

    def pending(self) -> tuple[Timer, ...]:
        """Return the timers that are not due yet, the next one first."""
        return tuple(timer for _, _, timer in sorted(self._armed))

    def _push(self, due_s: float, timer: Timer) -> None:
        self._count += 1
        heapq.heappush(self._armed, (due_s, self._count, timer))
