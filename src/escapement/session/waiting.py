"""How a pump that has nothing to do waits: woken by an arrival, or looking every few milliseconds."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import ClassVar, Protocol, Self
from weakref import WeakKeyDictionary


class ThreadClock:
    """The clock of a pump on its own thread."""

    def time(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()


class ThreadSignal:
    """Wakes a pump that waits on its own thread."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """Say, from any thread, that there is something to look at."""
        self._tokens.put(None)

    def wait(self, timeout_s: float) -> None:
        """Block until woken, or for so long; an old call of `wake` may make it return early."""
        with suppress(Empty):
            self._tokens.get(timeout=max(0.0, timeout_s))


class ThreadPoll:
    """Lets a pump on its own thread look every few milliseconds, and wakes it for nothing."""

    __slots__ = ("_poll_s",)

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s

    def wake(self) -> None:
        """Do nothing: the pump looks by itself."""

    def wait(self, timeout_s: float) -> None:
        """Sleep until the next look."""
        del timeout_s
        time.sleep(self._poll_s)


class LoopSignal:
    """Wakes a pump that waits on an event loop for other threads."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Say, from any thread, that there is something to look at."""
        with suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._loop.call_soon_threadsafe(self._resolve)

    async def wait(self) -> None:
        """Suspend until woken.

        No call of `wake` is lost: it takes effect on the loop, which is not in between a look and
        the await that follows it.
        """
        self._waiter = self._loop.create_future()
        await self._waiter

    def _resolve(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Watched(Protocol):
    """Something to look at."""

    def look(self) -> None:
        """Look."""
        ...


class Watch:
    """Looks at sessions in turn, each so many seconds, for as long as there are any.

    A timer of its own would cost every session more than all its other waiting.

    It is called on the loop, and refers to it only while there is something to look at.

    Args:
        each_s: The time between two looks.
    """

    _watches: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Self]]] = (
        WeakKeyDictionary()
    )

    def __init__(self, each_s: float) -> None:
        self._each_s = each_s
        self._watched: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, each_s: float) -> Self:
        """Return the watch of a loop for this time between two looks."""
        watches = cls._watches.setdefault(loop, {})
        if each_s not in watches:
            watches[each_s] = cls(each_s)
        return watches[each_s]

    def add(self, watched: Watched) -> None:
        """Look at this too, from now on."""
        self._watched[watched] = None
        if self._timer is None:
            self._arm()

    def remove(self, watched: Watched) -> None:
        """Don't look at it any more."""
        del self._watched[watched]
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._arm()
        for watched in tuple(self._watched):
            watched.look()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._each_s, self._look)


class Lookout:
    """Looks at one session, for a pump that waits by itself.

    Args:
        watched: The session.
        each_s: The time between two looks.
        now_s: The clock that the pump waits by.
    """

    __slots__ = ("_each_s", "_next_s", "_now_s", "_watched")

    def __init__(self, watched: Watched, each_s: float, now_s: Callable[[], float]) -> None:
        self._watched = watched
        self._each_s = each_s
        self._now_s = now_s
        self._next_s = now_s() + each_s

    def wait_s(self, due_s: float | None) -> float:
        """Return for how long there is nothing to do, not even for a timer that falls due."""
        until_s = self._next_s if due_s is None else min(self._next_s, due_s)
        return until_s - self._now_s()

    def look(self) -> None:
        """Look, if it is time."""
        if self._now_s() >= self._next_s:
            self._next_s += self._each_s
            self._watched.look()
