"""Virtual workers: an asyncio task each, on the session's own loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextvars import Context, copy_context
from typing import Any, Generic, TypeVar, cast

from escapement.llm import AsyncLLMBackend, LLMReply, LLMRequest
from escapement.session.conversation import Abandoned, Dialogue
from escapement.session.workers import Worker

Item = TypeVar("Item")

GRACE_S = 1.0  # for a backend to end when it was cancelled

_logger = logging.getLogger("escapement")


class TaskWorker(Generic[Item]):
    """One task that runs a worker's coroutine.

    Its mail is a list: there is a worker for each of thousands of sessions, and an
    empty deque takes ten times as much.

    Args:
        name: Of the task.
        work: Makes the coroutine.
        loop: Everything is called on it.
        context: What the task runs in.

    Attributes:
        busy: See `Worker`.
        is_closed: See `Worker`.
        task: Ends when the worker is closed and its mail worked off.
    """

    __slots__ = ("_loop", "_mail", "_waiter", "busy", "is_closed", "task")

    def __init__(
        self,
        name: str,
        work: Callable[[Worker[Item]], Coroutine[Any, Any, None]],
        loop: asyncio.AbstractEventLoop,
        context: Context,
    ) -> None:
        self.busy = False
        self.is_closed = False
        self._loop = loop
        self._mail: list[Item] = []
        self._waiter: asyncio.Future[None] | None = None
        self.task = loop.create_task(work(self), name=name, context=context)

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more."""
        return self.task.done()

    def put(self, item: Item) -> None:
        """Give it something to do."""
        self._mail.append(item)
        if self._waiter is not None:
            self._wake(self._waiter)

    def close(self) -> None:
        """Say that nothing more will come."""
        self.is_closed = True
        if self._waiter is not None:
            self._wake(self._waiter)

    async def take(self) -> Item | None:
        """Suspend, and return what comes first; none when closed and worked off."""
        if not self._mail and not self.is_closed:
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._mail.pop(0) if self._mail else None

    async def take_all(self) -> list[Item]:
        """Suspend, and return all that has gathered; empty when closed and worked off."""
        if not self.is_closed:
            if self._mail:
                await asyncio.sleep(0)  # what is happening right now may have more to say
            else:
                self._waiter = self._loop.create_future()
                await self._waiter
        taken, self._mail = self._mail, []
        return taken

    def interrupt(self) -> None:
        """Cancel the turn under way."""
        self.task.cancel()

    def _wake(self, waiter: "asyncio.Future[None]") -> None:
        self._waiter = None
        if not waiter.done():
            waiter.set_result(None)


class Tasks:
    """The site of virtual workers.

    Args:
        llm: Its `astream` is awaited by the workers' tasks.
        loop: The session's own, which is running.
    """

    __slots__ = ("_context", "_llm", "_loop")

    def __init__(self, llm: AsyncLLMBackend, loop: asyncio.AbstractEventLoop) -> None:
        self._llm = llm
        self._loop = loop
        self._context = copy_context()  # one for both workers

    def start(
        self, name: str, work: Callable[[Worker[Item]], Coroutine[Any, Any, None]]
    ) -> Worker[Item]:
        """Start a worker as a task."""
        return TaskWorker(name, work, self._loop, self._context)

    def ask(self, request: LLMRequest, on_delta: Callable[[str], None]) -> Awaitable[LLMReply]:
        """Take one turn of the model, suspending until it is over."""
        return self._llm.astream(request, on_delta)

    def caught(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Tell the end of an abandoned turn from the end of the task, and both from a failure."""
        if isinstance(error, KeyboardInterrupt):
            raise error
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task(self._loop)
            if dialogue.abandoned and task is not None:
                task.uncancel()
                return Abandoned()
            if task is not None and task.cancelling():
                raise error
        return error

    async def ajoin(self, workers: Collection[Worker[Any]]) -> None:
        """Wait for the end of all; one whose backend won't be cancelled is given up after a while."""
        tasks = [cast("TaskWorker[Any]", worker).task for worker in workers if not worker.ended]
        if tasks:
            patience_s = GRACE_S if any(worker.busy for worker in workers) else None
            _, left = await asyncio.wait(tasks, timeout=patience_s)
            for task in left:
                _logger.warning("%s: its backend does not end when cancelled", task.get_name())
