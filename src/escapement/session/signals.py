"""Ways for a pump without events to wait: woken by an arrival, or polling."""

import asyncio
import time
from contextlib import suppress
from queue import Empty, SimpleQueue


class ThreadClock:
    """The clock of a pump on its own thread."""

    def time(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()


class ThreadSignal:
    """Wakes a pump on its own thread when an event arrives."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        """Wake the pump, from any thread."""
        self._tokens.put(None)

    def wait(self, timeout_s: float) -> None:
        """Block until woken or timed out; an earlier `wake` may end it at once."""
        with suppress(Empty):
            self._tokens.get(timeout=max(0.0, timeout_s))


class ThreadPoll:
    """Lets a pump on its own thread poll for events."""

    __slots__ = ("_poll_s",)

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s

    def wake(self) -> None:
        """Do nothing: the pump polls."""

    def wait(self, timeout_s: float) -> None:
        """Sleep until the next poll."""
        del timeout_s
        time.sleep(self._poll_s)


class LoopSignal:
    """Wakes a coroutine on an event loop from other threads."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Wake the coroutine, from any thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._resolve)

    async def wait(self) -> None:
        """Suspend until woken.

        No `wake` is lost: it takes effect on the loop, never between a check and the await that
        follows it.
        """
        self._waiter = self._loop.create_future()
        await self._waiter

    def _resolve(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
