"""Virtual workers: one asyncio task each, on the session's own loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextvars import Context, copy_context
from typing import Any, Generic, cast

from escapement.llm import AsyncLLMBackend, LLMReply, LLMRequest
from escapement.session.conversation import AbandonedError, Dialogue
from escapement.session.workers import Item, Work, Worker

GRACE_S = 1.0  # for a cancelled backend to end

_logger = logging.getLogger("escapement")


class TaskWorker(Generic[Item]):
    """A task that runs a worker's coroutine.

    Its queue is a list: thousands of sessions have a worker each, and an empty deque uses ten
    times as much memory.

    Args:
        name: The name of the task.
        work: Makes the coroutine.
        loop: Makes all calls.
        context: The context of the task.

    Attributes:
        is_busy: See `Worker`.
        is_closed: See `Worker`.
        task: Ends when the worker is closed and its queue is empty.
    """

    __slots__ = ("_loop", "_queue", "_waiter", "is_busy", "is_closed", "task")

    def __init__(
        self, name: str, work: Work[Item], loop: asyncio.AbstractEventLoop, context: Context
    ) -> None:
        self.is_busy = False
        self.is_closed = False
        self._loop = loop
        self._queue: list[Item] = []
        self._waiter: asyncio.Future[None] | None = None
        self.task = loop.create_task(work(self), name=name, context=context)

    @property
    def has_ended(self) -> bool:
        """True if the worker does not run any more."""
        return self.task.done()

    def put(self, item: Item) -> None:
        """Add an item."""
        self._queue.append(item)
        if self._waiter is not None:
            self._wake(self._waiter)

    def close(self) -> None:
        """Let the worker end after its last item."""
        self.is_closed = True
        if self._waiter is not None:
            self._wake(self._waiter)

    async def take(self) -> Item | None:
        """Suspend until there is an item and return it; None after the last item."""
        if not self._queue and not self.is_closed:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._queue.pop(0) if self._queue else None

    async def take_all(self) -> list[Item]:
        """Suspend until there are items and return all; empty after the last item."""
        if not self.is_closed:
            if self._queue:
                await asyncio.sleep(0)  # the current callback may add more items
            else:
                self._waiter = self._loop.create_future()
                await self._waiter
        taken, self._queue = self._queue, []
        return taken

    def interrupt(self) -> None:
        """Cancel the current turn."""
        self.task.cancel()

    def _wake(self, waiter: "asyncio.Future[None]") -> None:
        self._waiter = None
        if not waiter.done():
            waiter.set_result(None)


class TaskHost:
    """Runs virtual workers.

    Args:
        llm: The workers' tasks await its `astream`.
        loop: The session's running loop.
    """

    __slots__ = ("_context", "_llm", "_loop")

    def __init__(self, llm: AsyncLLMBackend, loop: asyncio.AbstractEventLoop) -> None:
        self._llm = llm
        self._loop = loop
        self._context = copy_context()  # shared by both workers

    def start(self, name: str, work: Work[Item]) -> Worker[Item]:
        """Start a worker as a task."""
        return TaskWorker(name, work, self._loop, self._context)

    def call_model(
        self, request: LLMRequest, on_delta: Callable[[str], None]
    ) -> Awaitable[LLMReply]:
        """Take one turn of the model; suspend until it ends."""
        return self._llm.astream(request, on_delta)

    def classify_error(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Tell apart an abandoned turn, the task's end, and a failing backend."""
        if isinstance(error, KeyboardInterrupt):
            raise error
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task(self._loop)
            if dialogue.is_abandoned and task is not None:
                task.uncancel()
                return AbandonedError()
            if task is not None and task.cancelling():
                raise error
        return error

    async def ajoin(self, workers: Collection[Worker[Any]]) -> None:
        """Wait until all workers end; log those whose backend does not end."""
        tasks = [cast("TaskWorker[Any]", one).task for one in workers if not one.has_ended]
        if tasks:
            timeout_s = GRACE_S if any(worker.is_busy for worker in workers) else None
            _, left = await asyncio.wait(tasks, timeout=timeout_s)
            for task in left:
                _logger.warning("%s: its backend does not end when cancelled", task.get_name())
