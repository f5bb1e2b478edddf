"""Periodic checks that sessions make progress."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Protocol, Self
from weakref import WeakKeyDictionary


class Monitored(Protocol):
    """A session, or the pump of one."""

    def check_progress(self) -> None:
        """Fail the session if it has made no progress for too long."""
        ...


class LoopProgressMonitor:
    """Checks all sessions of an event loop with one timer, at equal intervals.

    A timer for each session would cost more than all other waits of the session. Call it on the
    loop. It refers to the loop only while it monitors sessions.

    Args:
        interval_s: The time between two checks of a session.
    """

    _monitors: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Self]]] = (
        WeakKeyDictionary()
    )

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._monitored: dict[Monitored, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, interval_s: float) -> Self:
        """Return the monitor of a loop with this interval."""
        monitors = cls._monitors.setdefault(loop, {})
        if interval_s not in monitors:
            monitors[interval_s] = cls(interval_s)
        return monitors[interval_s]

    def add(self, monitored: Monitored) -> None:
        """Start to check a session."""
        self._monitored[monitored] = None
        if self._timer is None:
            self._arm()

    def remove(self, monitored: Monitored) -> None:
        """Stop to check a session."""
        del self._monitored[monitored]
        if not self._monitored and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._arm()
        for monitored in tuple(self._monitored):
            monitored.check_progress()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._check)


class ProgressMonitor:
    """Checks one session, for a pump that waits by itself.

    Args:
        monitored: The session.
        interval_s: The time between two checks.
        now_s: The clock of the pump.
    """

    __slots__ = ("_interval_s", "_monitored", "_next_s", "_now_s")

    def __init__(
        self, monitored: Monitored, interval_s: float, now_s: Callable[[], float]
    ) -> None:
        self._monitored = monitored
        self._interval_s = interval_s
        self._now_s = now_s
        self._next_s = now_s() + interval_s

    def wait_s(self, due_s: float | None) -> float:
        """Return the time until the next check or the next timer.

        Args:
            due_s: The time at which the timer is due; None without one.
        """
        until_s = self._next_s if due_s is None else min(self._next_s, due_s)
        return until_s - self._now_s()

    def check(self) -> None:
        """Check the session if the interval has passed."""
        if self._now_s() >= self._next_s:
            self._next_s += self._interval_s
            self._monitored.check_progress()
