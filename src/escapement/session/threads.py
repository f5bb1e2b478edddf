"""Platform workers: one OS thread each, blocked while they wait."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, cast

from escapement.errors import SessionError
from escapement.llm import LLMBackend, LLMReply, LLMRequest
from escapement.session.conversation import Dialogue
from escapement.session.signals import LoopSignal
from escapement.session.workers import Item, Work, Worker


class ThreadWorker(Generic[Item]):
    """A daemon thread that runs a worker's coroutine.

    Args:
        name: The name of the thread.
        work: Makes the coroutine.
        wake: Called from the thread when it ends.

    Attributes:
        is_busy: See `Worker`.
        is_closed: See `Worker`.
        has_ended: The thread does not run any more, and can be joined without a wait.

    Raises:
        SessionError: The thread cannot be started.
    """

    __slots__ = ("_queue", "_thread", "_wake", "has_ended", "is_busy", "is_closed")

    def __init__(self, name: str, work: Work[Item], wake: Callable[[], None]) -> None:
        self.is_busy = False
        self.is_closed = False
        self.has_ended = False
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._wake = wake
        self._thread = Thread(target=self._run, args=(work,), name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            message = f"worker {name!r} cannot be started: {error}"
            raise SessionError(message) from error

    def put(self, item: Item) -> None:
        """Add an item, from any thread."""
        self._queue.put(item)

    def close(self) -> None:
        """Let the worker end after its last item."""
        self.is_closed = True
        self._queue.put(None)

    async def take(self) -> Item | None:
        """Block until there is an item and return it; None after the last item."""
        return self._queue.get()

    async def take_all(self) -> list[Item]:
        """Block until there are items and return all; empty after the last item."""
        taken: list[Item] = []
        item = self._queue.get()
        try:
            while item is not None:
                taken.append(item)
                item = self._queue.get_nowait()
        except Empty:
            return taken
        if taken:
            self._queue.put(None)  # for the next call, which returns the empty list
        return taken

    def interrupt(self) -> None:
        """Do nothing: the stream ends at its next token."""

    def join(self) -> None:
        """Wait until the thread ends."""
        self._thread.join()

    def _run(self, work: Work[Item]) -> None:
        try:
            _complete(work(self))
        finally:
            self.has_ended = True
            self._wake()


def _complete(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end in one step: nothing that it awaits suspends."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    message = "a worker on a thread has suspended"
    raise RuntimeError(message)


class ThreadHost:
    """Runs platform workers.

    Args:
        llm: The workers' threads call its `stream`.
        wake: Called from a worker's thread when the worker has ended.
    """

    __slots__ = ("_llm", "_wake")

    def __init__(self, llm: LLMBackend, wake: Callable[[], None]) -> None:
        self._llm = llm
        self._wake = wake

    def start(self, name: str, work: Work[Item]) -> Worker[Item]:
        """Start a worker on a thread of its own.

        Raises:
            SessionError: The thread cannot be started.
        """
        return ThreadWorker(name, work, self._wake)

    async def call_model(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Take one turn of the model; block until it ends."""
        return self._llm.stream(request, on_delta)

    def classify_error(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Return the error: no error of a turn ends the thread."""
        del dialogue
        return error

    def join(self, workers: Collection[Worker[Any]]) -> None:
        """Wait until the free workers end; busy ones end after their backend."""
        for worker in workers:
            if not worker.is_busy:
                cast("ThreadWorker[Any]", worker).join()


class LoopThreadHost(ThreadHost):
    """Runs platform workers for a session on an event loop."""

    __slots__ = ("_signal",)

    def __init__(self, llm: LLMBackend, loop: asyncio.AbstractEventLoop) -> None:
        self._signal = LoopSignal(loop)
        super().__init__(llm, self._signal.wake)

    async def ajoin(self, workers: Collection[Worker[Any]]) -> None:
        """Wait as `join` does, without blocking the loop."""
        for worker in workers:
            while not (worker.is_busy or worker.has_ended):
                await self._signal.wait()
        self.join(workers)
