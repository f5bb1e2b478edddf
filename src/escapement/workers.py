"""The platform threads of a session: at most one writes the transcript, one holds conversations."""

from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from escapement.conversation import Dialogue
from escapement.errors import SessionError
from escapement.event import Event
from escapement.transcript import BATCH_MAX, Row, Scribe

Item = TypeVar("Item")
Turn = tuple[Dialogue, bool | None]  # what to advance, and with which verdict
Post = Callable[[Event, Dialogue], None]
Wake = Callable[[], None]


class Worker(Generic[Item]):
    """One daemon thread that works off its mailbox until it finds None there.

    Attributes:
        mailbox: What is to be done.
        busy: Set by whoever fills the mailbox, cleared by the worker before it hands a result over:
            a worker that is not busy is free, even while its last result is still on the way.
        ended: The thread does nothing any more, and can be joined without a wait.
    """

    __slots__ = ("_thread", "_wake", "busy", "ended", "mailbox")

    def __init__(self, name: str, work: "Callable[[Worker[Item]], None]", wake: Wake) -> None:
        self.mailbox: SimpleQueue[Item | None] = SimpleQueue()
        self.busy = False
        self.ended = False
        self._wake = wake
        self._thread = Thread(target=self._run, args=(work,), name=name, daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            message = f"worker {name!r} can't be started: {error}"
            raise SessionError(message) from error

    def is_alive(self) -> bool:
        """Tell whether the thread is still there."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    def _run(self, work: "Callable[[Worker[Item]], None]") -> None:
        try:
            work(self)
        finally:
            self.ended = True
            self._wake()


class Transcript:
    """Takes rows from any thread and has them written by a worker of its own."""

    __slots__ = ("_closed", "_name", "_path", "_wake", "_worker")

    def __init__(self, path: Path, session_id: str, wake: Wake) -> None:
        self._path = path
        self._name = f"{session_id}:transcript"
        self._wake = wake
        self._worker: Worker[Row] | None = None
        self._closed = False

    def record(self, kind: str, **fields: object) -> None:
        """Queue a row; the first one starts the worker, and must come from the pump.

        Raises:
            SessionError: The worker's thread can't be started.
        """
        if self._worker is None:
            if self._closed:
                return
            self._closed = True  # unless it starts: nobody would read the rows to come
            path = self._path
            self._worker = Worker(self._name, lambda worker: _transcribe(worker, path), self._wake)
            self._closed = False
        self._worker.mailbox.put((kind, fields))

    def close(self) -> list[Worker[Row]]:
        """Tell the worker to end when all rows are written; return it, if there is one."""
        self._closed = True
        if self._worker is None:
            return []
        self._worker.mailbox.put(None)
        return [self._worker]


def _transcribe(worker: Worker[Row], path: Path) -> None:
    scribe = Scribe(path)
    mailbox = worker.mailbox
    while (row := mailbox.get()) is not None:
        batch = [row]
        try:
            while len(batch) < BATCH_MAX and (row := mailbox.get_nowait()) is not None:
                batch.append(row)
        except Empty:
            pass
        scribe.write(batch)
        if row is None:
            return
        batch.clear()


class Crew:
    """Holds conversations on as few workers as will do: one, unless a stream won't end.

    All methods are the pump's to call.
    """

    __slots__ = ("_leaving", "_name", "_post", "_wake", "_workers")

    def __init__(self, session_id: str, post: Post, wake: Wake) -> None:
        self._name = f"{session_id}:conversation"
        self._post = post
        self._wake = wake
        self._workers: list[Worker[Turn]] = []
        self._leaving: list[Worker[Turn]] = []

    def advance(self, dialogue: Dialogue, accepted: bool | None) -> None:  # noqa: FBT001  a verdict
        """Have a free worker advance a conversation, or a new one if none is free.

        Raises:
            SessionError: A new worker's thread can't be started.
        """
        free = [worker for worker in self._workers if not worker.busy]
        for surplus in free[1:]:
            surplus.mailbox.put(None)
            self._workers.remove(surplus)
        self._leaving = [worker for worker in (*self._leaving, *free[1:]) if worker.is_alive()]
        if not free:
            free.append(Worker(self._name, self._hold, self._wake))
            self._workers.append(free[0])
        free[0].busy = True
        free[0].mailbox.put((dialogue, accepted))

    def close(self) -> list[Worker[Turn]]:
        """Tell all workers to end; return those that do so at once, not at their next token."""
        for worker in self._workers:
            worker.mailbox.put(None)
        return self._leaving + [worker for worker in self._workers if not worker.busy]

    def _hold(self, worker: Worker[Turn]) -> None:
        while (turn := worker.mailbox.get()) is not None:
            dialogue, accepted = turn
            event = dialogue.advance(accepted)
            worker.busy = False
            if event is not None and not dialogue.abandoned:
                self._post(event, dialogue)
            del turn, dialogue, event  # an idle worker keeps nothing alive
