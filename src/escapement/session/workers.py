"""The two workers of a session: what they do, wherever they run, and how the pump hands them work."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from escapement.event import Event
from escapement.llm import LLMReply, LLMRequest
from escapement.session.conversation import Dialogue, Interruptible
from escapement.storage.transcript import BATCH_MAX, Row, Scribe

Item = TypeVar("Item")


class Worker(Interruptible, Protocol[Item]):
    """Something that works off its mail, in order, until it is told that no more will come.

    Attributes:
        busy: Set by whoever gives it something, cleared by the worker before it hands a result over:
            a worker that is not busy is free, even while its last result is still on the way.
        is_closed: It was told that no more will come.
    """

    busy: bool
    is_closed: bool

    @property
    def ended(self) -> bool:
        """Whether it does nothing any more."""
        ...

    def put(self, item: Item) -> None:
        """Give it something to do."""
        ...

    def close(self) -> None:
        """Say that nothing more will come."""
        ...

    async def take(self) -> Item | None:
        """Wait, and return what comes first; none when closed and worked off."""
        ...

    async def take_all(self) -> list[Item]:
        """Wait, and return all that has gathered; empty when closed and worked off."""
        ...


class Poster(Protocol):
    """Takes the events that conversations come to."""

    def post(self, event: Event, sender: Dialogue) -> None:
        """Queue an event, from wherever the worker runs."""
        ...


class Site(Protocol):
    """Where workers run: on threads of their own, or as tasks of the session's loop."""

    def ask(self, request: LLMRequest, on_delta: Callable[[str], None]) -> Awaitable[LLMReply]:
        """Take one turn of the model."""
        ...

    def start(
        self, name: str, work: Callable[[Worker[Item]], Coroutine[Any, Any, None]]
    ) -> Worker[Item]:
        """Start a worker.

        Raises:
            SessionError: It can't be started.
        """
        ...

    def caught(self, error: BaseException, dialogue: Dialogue) -> BaseException:
        """Judge what a turn has raised: return it, `Abandoned` in its place, or raise it again."""
        ...


async def transcribe(worker: Worker[Row], scribe: Scribe) -> None:
    """Write rows until there are no more, all that has gathered at once."""
    while rows := await worker.take_all():
        for start in range(0, len(rows), BATCH_MAX):
            scribe.write(rows[start : start + BATCH_MAX])
        del rows  # an idle worker keeps nothing alive


async def converse(worker: Worker[Dialogue], site: Site, poster: Poster) -> None:
    """Take turns of conversations, one after the other, and post the events that they come to."""
    while (dialogue := await worker.take()) is not None:
        dialogue.holder = worker
        try:
            reply = await site.ask(dialogue.speak(), dialogue.on_delta)
        except BaseException as error:  # noqa: BLE001  an exit in a backend must not end the worker
            event = dialogue.fail(site.caught(error, dialogue))
        else:
            event = dialogue.hear(reply)
            del reply
        dialogue.holder = None
        worker.busy = False
        if event is not None and not dialogue.abandoned:
            poster.post(event, dialogue)
        del dialogue, event  # an idle worker keeps nothing alive


class Crew:
    """Holds conversations on as few workers as will do: one, unless a stream won't end.

    All methods are the pump's to call.
    """

    __slots__ = ("_name", "_site", "_workers")

    def __init__(self, session_id: str, site: Site) -> None:
        self._name = f"{session_id}:conversation"
        self._site = site
        self._workers: tuple[Worker[Dialogue], ...] = ()  # those that were dismissed among them

    def advance(self, dialogue: Dialogue, poster: Poster) -> None:
        """Have a free worker take a conversation's next turn, or a new one if none is free.

        Args:
            dialogue: The conversation.
            poster: Takes its events; the same one each time.

        Raises:
            SessionError: A new worker can't be started.
        """
        workers = self._workers
        is_usual = len(workers) == 1 and not workers[0].busy
        free = workers[0] if is_usual else self._find_free(poster)
        free.busy = True
        free.put(dialogue)

    def close(self) -> tuple[Worker[Dialogue], ...]:
        """Tell all workers to end, and return them."""
        for worker in self._workers:
            worker.close()
        return self._workers

    def _find_free(self, poster: Poster) -> Worker[Dialogue]:
        """Return a free worker, and dismiss what other free ones there are."""
        self._workers = tuple([worker for worker in self._workers if not worker.ended])
        free = [worker for worker in self._workers if not (worker.busy or worker.is_closed)]
        for surplus in free[1:]:
            surplus.close()
        if free:
            return free[0]
        site = self._site
        self._workers += (site.start(self._name, lambda worker: converse(worker, site, poster)),)
        return self._workers[-1]


class Transcript:
    """Takes rows and has them written by a worker of its own."""

    __slots__ = ("_is_closed", "_name", "_scribe", "_site", "_worker")

    def __init__(self, scribe: Scribe, session_id: str, site: Site) -> None:
        self._scribe = scribe
        self._name = f"{session_id}:transcript"
        self._site = site
        self._worker: Worker[Row] | None = None
        self._is_closed = False

    def record(self, kind: str, **fields: object) -> None:
        """Queue a row, unless it was closed; the first one starts the worker, from the pump.

        Raises:
            SessionError: The worker can't be started.
        """
        if self._is_closed:
            return
        if self._worker is None:
            self._is_closed = True  # unless it starts: nobody would read the rows to come
            scribe = self._scribe
            self._worker = self._site.start(self._name, lambda worker: transcribe(worker, scribe))
            self._is_closed = False
        self._worker.put((kind, fields))

    def close(self) -> tuple[Worker[Row], ...]:
        """Tell the worker to end when all rows are written; return it, if there is one."""
        self._is_closed = True
        if self._worker is None:
            return ()
        self._worker.close()
        return (self._worker,)


class NoTranscript:
    """Takes rows for nobody."""

    def record(self, kind: str, **fields: object) -> None:
        """Drop a row."""

    def close(self) -> tuple[Worker[Row], ...]:
        """Return nothing: nobody writes."""
        return ()


NO_TRANSCRIPT = NoTranscript()
