"""Platform workers: an OS thread each, on which everything that a worker awaits blocks instead."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar, cast

from escapement.errors import SessionError
from escapement.llm import LLMBackend, LLMReply, LLMRequest
from escapement.session.conversation import Dialogue
from escapement.session.waiting import LoopSignal
from escapement.session.workers import Worker

Item = TypeVar("Item")


class ThreadWorker(Generic[Item]):
    """One daemon thread that drives a worker's coroutine to its end.

    Args:
        name: Of the thread.
        work: Makes the coroutine.
        wake: Called from the thread when it has ended.

    Attributes:
        busy: See `Worker`.
        is_closed: See `Worker`.
        ended: The thread does nothing any more, and can be joined without a wait.

    Raises:
        SessionError: The thread can't be started.
    """

    __slots__ = ("_mail", "_thread", "_wake", "busy", "ended", "is_closed")

    def __init__(
        self,
        name: str,
        work: Callable[[Worker[Item]], Coroutine[Any, Any, None]],
        wake: Callable[[], None],
    ) -> None:
        self.busy = False
        self.is_closed = False
        self.ended = False
        self._mail: SimpleQueue[Item | None] = SimpleQueue()
        self._wake = wake
        self._thread = Thread(target=self._run, args=(work,), name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            message = f"worker {name!r} can't be started: {error}"
            raise SessionError(message) from error

    def put(self, item: Item) -> None:
        """Give it something to do, from any thread."""
        self._mail.put(item)

    def close(self) -> None:
        """Say that nothing more will come."""
        self.is_closed = True
        self._mail.put(None)

    async def take(self) -> Item | None:
        """Block, and return what comes first; none when closed and worked off."""
        return self._mail.get()

    async def take_all(self) -> list[Item]:
        """Block, and return all that has gathered; empty when closed and worked off."""
        taken: list[Item] = []
        item = self._mail.get()
        try:
            while item is not None:
                taken.append(item)
                item = self._mail.get_nowait()
        except Empty:
            return taken
        if taken:
            self._mail.put(None)  # it comes last: say so again when these are done
        return taken

    def interrupt(self) -> None:
        """Do nothing: a thread can't be interrupted, it notices at its next token."""

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    def _run(self, work: Callable[[Worker[Item]], Coroutine[Any, Any, None]]) -> None:
        try:
            _drive(work(self))
        finally:
            self.ended = True
            self._wake()


def _drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, which takes one step: here nothing that it awaits suspends."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    message = "a worker on a thread has suspended"
    raise RuntimeError(message)


class Threads:
    """The site of platform workers.

    Args:
        llm: Its `stream` is called on the workers' threads.
        wake: Called from a worker's thread when the worker has ended.
    """

    __slots__ = ("_llm", "_wake")

    def __init__(self, llm: LLMBackend, wake: Callable[[], None]) -> None:
        self._llm = llm
        self._wake = wake

    def start(
        self, name: str, work: Callable[[Worker[Item]], Coroutine[Any, Any, None]]
    ) -> Worker[Item]:
        """Start a worker on a thread of its own.

        Raises:
            SessionError: The thread can't be started.
        """
        return ThreadWorker(name, work, self._wake)

    async def ask(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Take one turn and block until it is over."""
        return self._llm.stream(request, on_delta)

    def caught(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Return what a turn has raised, whatever it is: the thread has to go on."""
        del dialogue
        return error

    def join(self, workers: Collection[Worker[Any]]) -> None:
        """Wait for the end of those that don't wait for a backend; the others end by themselves."""
        for worker in workers:
            if not worker.busy:
                cast("ThreadWorker[Any]", worker).join()


class LoopThreads(Threads):
    """The site of platform workers whose session runs on an event loop."""

    __slots__ = ("_signal",)

    def __init__(self, llm: LLMBackend, loop: asyncio.AbstractEventLoop) -> None:
        self._signal = LoopSignal(loop)
        super().__init__(llm, self._signal.wake)

    async def ajoin(self, workers: Collection[Worker[Any]]) -> None:
        """Do as `join` does, without blocking the loop."""
        for worker in workers:
            while not (worker.busy or worker.ended):
                await self._signal.wait()
        self.join(workers)
