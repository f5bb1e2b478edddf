"""How a pump that has nothing to do waits: woken by an arrival, or looking every few milliseconds."""

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue


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
