"""The two workers of a session, wherever they run: conversations and the transcript."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from escapement.event import Event
from escapement.llm import LLMReply, LLMRequest
from escapement.session.conversation import Dialogue, Interruptible
from escapement.storage.transcript import BATCH_MAX, Row, TranscriptWriter

Item = TypeVar("Item")


class Worker(Interruptible, Protocol[Item]):
    """Processes items in order until it is closed.

    Attributes:
        is_busy: Set by the sender of an item, cleared by the worker before it posts a result: a
            worker that is not busy is free, even if its last result has not arrived yet.
        is_closed: No more items will come.
    """

    is_busy: bool
    is_closed: bool

    @property
    def has_ended(self) -> bool:
        """True if the worker does not run any more."""
        ...

    def put(self, item: Item) -> None:
        """Add an item."""
        ...

    def close(self) -> None:
        """Let the worker end after its last item."""
        ...

    async def take(self) -> Item | None:
        """Wait for the next item and return it; None after the last item."""
        ...

    async def take_all(self) -> list[Item]:
        """Wait for items and return all of them; empty after the last item."""
        ...


Work = Callable[[Worker[Item]], Coroutine[Any, Any, None]]  # makes the coroutine of a worker


class EventSink(Protocol):
    """A receiver of the events of conversations."""

    def post(self, event: Event, sender: Dialogue) -> None:
        """Queue an event, from wherever the worker runs."""
        ...


class WorkerHost(Protocol):
    """Runs workers: on threads of their own, or as tasks of the session's loop."""

    def call_model(
        self, request: LLMRequest, on_delta: Callable[[str], None]
    ) -> Awaitable[LLMReply]:
        """Take one turn of the model."""
        ...

    def start(self, name: str, work: Work[Item]) -> Worker[Item]:
        """Start a worker.

        Raises:
            SessionError: The worker cannot be started.
        """
        ...

    def classify_error(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Return the error of a turn, or `AbandonedError`; or raise it again."""
        ...


async def write_transcript(worker: Worker[Row], writer: TranscriptWriter) -> None:
    """Write rows in batches until the worker is closed."""
    while rows := await worker.take_all():
        for start in range(0, len(rows), BATCH_MAX):
            writer.write(rows[start : start + BATCH_MAX])
        del rows  # an idle worker must not keep objects alive


async def run_dialogues(worker: Worker[Dialogue], host: WorkerHost, sink: EventSink) -> None:
    """Take the turns of conversations one by one, and post the resulting events."""
    while (dialogue := await worker.take()) is not None:
        dialogue.worker = worker
        try:
            reply = await host.call_model(dialogue.make_request(), dialogue.on_delta)
        except BaseException as error:  # noqa: BLE001  an exit in a backend must not end the worker
            event = dialogue.handle_error(host.classify_error(error, dialogue))
        else:
            event = dialogue.handle_reply(reply)
            del reply
        dialogue.worker = None
        worker.is_busy = False
        if event is not None and not dialogue.is_abandoned:
            sink.post(event, dialogue)
        del dialogue, event  # an idle worker must not keep objects alive


class ConversationPool:
    """Runs conversations on as few workers as possible, usually one.

    Only the pump calls its methods.
    """

    __slots__ = ("_host", "_name", "_workers")

    def __init__(self, session_id: str, host: WorkerHost) -> None:
        self._name = f"{session_id}:conversation"
        self._host = host
        self._workers: tuple[Worker[Dialogue], ...] = ()  # with closed ones that have not ended

    def advance(self, dialogue: Dialogue, sink: EventSink) -> None:
        """Take the next turn of a conversation on a free worker, or on a new one.

        Args:
            dialogue: The conversation.
            sink: Receives its events; the same one in each call.

        Raises:
            SessionError: A new worker cannot be started.
        """
        workers = self._workers
        is_usual = len(workers) == 1 and not workers[0].is_busy
        free = workers[0] if is_usual else self._find_free(sink)
        free.is_busy = True
        free.put(dialogue)

    def close(self) -> tuple[Worker[Dialogue], ...]:
        """Close all workers, and return them."""
        for worker in self._workers:
            worker.close()
        return self._workers

    def _find_free(self, sink: EventSink) -> Worker[Dialogue]:
        """Return a free worker, and close the other free workers."""
        self._workers = tuple([worker for worker in self._workers if not worker.has_ended])
        free = [worker for worker in self._workers if not (worker.is_busy or worker.is_closed)]
        for surplus in free[1:]:
            surplus.close()
        if free:
            return free[0]
        host = self._host
        self._workers += (
            host.start(self._name, lambda worker: run_dialogues(worker, host, sink)),
        )
        return self._workers[-1]


class Transcript:
    """Queues rows for a worker that writes them."""

    __slots__ = ("_host", "_is_closed", "_name", "_worker", "_writer")

    def __init__(self, writer: TranscriptWriter, session_id: str, host: WorkerHost) -> None:
        self._writer = writer
        self._name = f"{session_id}:transcript"
        self._host = host
        self._worker: Worker[Row] | None = None
        self._is_closed = False

    def record(self, kind: str, **fields: object) -> None:
        """Queue a row unless closed; the first row starts the worker.

        Raises:
            SessionError: The worker cannot be started.
        """
        if self._is_closed:
            return
        if self._worker is None:
            self._is_closed = True  # unless the worker starts: nobody would write the next rows
            writer = self._writer
            self._worker = self._host.start(
                self._name, lambda worker: write_transcript(worker, writer)
            )
            self._is_closed = False
        self._worker.put((kind, fields))

    def close(self) -> tuple[Worker[Row], ...]:
        """Let the worker end after the last row; return it if it was started."""
        self._is_closed = True
        if self._worker is None:
            return ()
        self._worker.close()
        return (self._worker,)


class NoTranscript:
    """Drops rows."""

    def record(self, kind: str, **fields: object) -> None:
        """Drop a row."""

    def close(self) -> tuple[Worker[Row], ...]:
        """Return no worker."""
        return ()


NO_TRANSCRIPT = NoTranscript()
