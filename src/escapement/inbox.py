"""The external event queue of a session, and how its pump waits for arrivals."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from escapement.conversation import Dialogue
from escapement.event import Event

Arrival = tuple[Event, Dialogue | None]  # the event, and the conversation that waits for a verdict


class Inbox:
    """A FIFO queue that any thread may post to and one pump takes from.

    Source: SCXML 3.13, the external event queue.
    """

    __slots__ = ("_arrivals", "_wake")

    def __init__(self, wake: Callable[[], None]) -> None:
        self._arrivals: deque[Arrival] = deque()
        self._wake = wake

    def __bool__(self) -> bool:
        return bool(self._arrivals)

    def post(self, event: Event, sender: Dialogue | None = None) -> None:
        """Append an event and wake the pump."""
        self._arrivals.append((event, sender))
        self._wake()

    def take(self) -> Arrival | None:
        """Remove what has waited longest, if anything has."""
        return self._arrivals.popleft() if self._arrivals else None

    def pending(self) -> tuple[Event, ...]:
        """List what is waiting, the longest first."""
        if not self._arrivals:
            return ()
        # The copy is made in one step of the interpreter, so an arrival can't come in between.
        return tuple(event for event, _ in self._arrivals.copy())


class ThreadSignal:
    """Wakes a pump that waits on its own thread."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """Say that there is something to look at."""
        self._tokens.put(None)

    def wait(self) -> None:
        """Block until woken; an old call of `wake` may make it return early."""
        self._tokens.get()


class _Poll:
    """Lets a pump look every few milliseconds instead of being woken."""

    __slots__ = ("_poll_s",)

    def __init__(self, poll_ms: int) -> None:
        if poll_ms < 0:
            message = f"poll_ms is {poll_ms}; 0 wakes on arrival, more is the time between looks"
            raise ValueError(message)
        self._poll_s = poll_ms / 1000

    def wake(self) -> None:
        """Do nothing: the pump looks by itself."""


class ThreadPoll(_Poll):
    """Lets a pump on its own thread look every few milliseconds."""

    __slots__ = ()

    def wait(self) -> None:
        """Sleep until the next look."""
        time.sleep(self._poll_s)


class LoopSignal:
    """Wakes a pump that waits on an event loop."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Say, from any thread, that there is something to look at."""
        with suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._loop.call_soon_threadsafe(self._resolve)

    async def wait(self) -> None:
        """Suspend until woken.

        No call of `wake` is lost: it takes effect on the loop, which is not in between a look at
        the queue and the await that follows it.
        """
        self._waiter = self._loop.create_future()
        await self._waiter

    def _resolve(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class LoopPoll(_Poll):
    """Lets a pump on an event loop look every few milliseconds."""

    __slots__ = ()

    async def wait(self) -> None:
        """Sleep until the next look."""
        await asyncio.sleep(self._poll_s)
