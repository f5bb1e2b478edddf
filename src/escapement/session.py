"""What both pumps share: a session's state, and what handling an event means for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from escapement.chart import Chart
from escapement.compiler import compile_chart
from escapement.configuration import Place
from escapement.conversation import Dialogue, Record, hold
from escapement.errors import CheckpointError, SessionError
from escapement.event import ErrorEvent, Event
from escapement.inbox import Inbox
from escapement.llm import LLMBackend
from escapement.machine import Step, begin, step
from escapement.microstep import Data
from escapement.node import Node
from escapement.store import Checkpoint, Store
from escapement.workers import Crew, Transcript, Wake, Worker

Status = Literal["done", "idle"]


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a session ended.

    Attributes:
        session_id: The session.
        status: "done" when the chart reached a top-level final state; "idle" when it didn't, but
            no event is left and nothing can send one.
        configuration: The ids of the active states, in document order.
        data: A copy of the session's data.
    """

    session_id: str
    status: Status
    configuration: tuple[str, ...]
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Setup:
    """What a session is made from, besides its chart; the arguments of `run` and `arun`."""

    session_id: str
    llm: LLMBackend
    store: Store
    transcript: Path | None
    data: Mapping[str, object]


class Session:
    """A running session; a pump calls `start`, `handle_next` until it is `over`, and always `close`.

    Args:
        chart: What the session runs.
        setup: What it runs with.
        arrived: Called from any thread when an event was posted.
        ended: Called from a worker's thread when the worker has ended.

    Raises:
        ChartError: The chart's definition is wrong.
    """

    __slots__ = (
        "_crew",
        "_data",
        "_dialogues",
        "_finished",
        "_inbox",
        "_place",
        "_record",
        "_setup",
        "_table",
        "_transcript",
    )

    def __init__(self, chart: Chart, setup: Setup, arrived: Wake, ended: Wake) -> None:
        self._table = compile_chart(chart)
        self._setup = setup
        self._place: Place = self._table.nowhere
        self._data: Data = {**chart.data, **setup.data}
        self._finished = False
        self._inbox = Inbox(arrived)
        self._dialogues: dict[Node, Dialogue] = {}
        self._crew = Crew(setup.session_id, self._inbox.post, ended)
        self._transcript: Transcript | None = None
        self._record: Record = _discard
        if setup.transcript is not None:
            self._transcript = Transcript(setup.transcript, setup.session_id, ended)
            self._record = self._transcript.record

    @property
    def over(self) -> bool:
        """Whether the chart is final, or nothing can ever arrive any more."""
        return self._finished or not (self._dialogues or self._inbox)

    def start(self) -> None:
        """Enter the initial state, or go on from where the store says that the session was.

        Raises:
            CheckpointError: The stored record isn't one of this chart.
            SessionError: The chart fails, or a worker can't be started.
        """
        setup, chart = self._setup, self._table.chart
        record = setup.store.load(setup.session_id)
        self._record(
            "session-start",
            session=setup.session_id,
            chart=chart.id,
            resumed=record is not None,
        )
        if record is None:
            self._apply(begin(self._table, self._data))
        else:
            self._resume(record)

    def handle_next(self) -> bool:
        """Handle the event that has waited longest; tell whether there was one.

        Raises:
            CheckpointError: The checkpoint can't be written.
            SessionError: The chart fails, or a worker can't be started.
        """
        arrival = self._inbox.take()
        if arrival is None:
            return False
        event, sender = arrival
        if sender is not None and sender.over and self._waits(sender):
            del self._dialogues[sender.node]
        self._record("event", name=event.name, data=event.data)
        result = step(self._place, self._data, event)
        self._apply(result)
        if sender is not None and self._waits(sender):
            self._crew.advance(sender, result.accepted)
        return True

    def close(self, error: BaseException | None = None) -> list[Worker[Any]]:
        """End all conversations and tell the workers to end.

        Args:
            error: What kept the session from its end, if anything did.

        Returns:
            The workers that end without waiting for a backend, to be joined by the pump.
        """
        for dialogue in self._dialogues.values():
            dialogue.abandoned = True
        self._dialogues.clear()
        leaving: list[Worker[Any]] = list(self._crew.close())
        if self._transcript is not None:
            status = "failed" if error else self._status
            self._record("session-end", status=status, error=repr(error) if error else None)
            leaving += self._transcript.close()
        return leaving

    def result(self) -> SessionResult:
        """Sum up a session that is over."""
        return SessionResult(
            self._setup.session_id, self._status, self._state_ids(), dict(self._data)
        )

    @property
    def _status(self) -> Status:
        return "done" if self._finished else "idle"

    def _resume(self, record: Checkpoint) -> None:
        chart = self._table.chart
        place = self._table.place(record.configuration, {})
        if record.chart_id != chart.id or place is None:
            states = ", ".join(record.configuration)
            message = (
                f"{record.source}: session {self._setup.session_id!r} was in chart"
                f" {record.chart_id!r}, state {states}, which is no state of chart {chart.id!r};"
                " run it with its own chart, or under another session id"
            )
            raise CheckpointError(message)
        self._place = place
        self._data = record.data
        self._finished = place.configuration.is_final
        for event in record.pending:
            self._inbox.post(event)
        # What was pending goes first: it may leave the states whose conversations would start.
        while not self._finished and self.handle_next():
            pass
        for node in self._place.configuration.nodes:
            if node.conversation is not None and node not in self._dialogues:
                self._open(node)

    def _apply(self, result: Step) -> None:
        for what, node in result.trail:
            self._record(what, state=node.id)
        self._place = result.place
        if result.unhandled is not None:
            raise self._failed(result.unhandled)
        self._data = result.data
        self._finished = result.finished
        for node in result.ended:
            dialogue = self._dialogues.pop(node, None)
            if dialogue is not None:
                dialogue.abandoned = True
        self._setup.store.save(
            self._setup.session_id,
            Checkpoint(self._table.chart.id, self._state_ids(), self._data, self._inbox.pending()),
        )
        for node in result.started:
            self._open(node)

    def _open(self, node: Node) -> None:
        script = hold(node, self._setup.session_id, self._data)
        dialogue = Dialogue(node, script, self._setup.llm, self._record)
        self._dialogues[node] = dialogue
        self._crew.advance(dialogue, None)

    def _waits(self, sender: Dialogue) -> bool:
        return self._dialogues.get(sender.node) is sender

    def _state_ids(self) -> tuple[str, ...]:
        return self._place.configuration.ids

    def _failed(self, event: Event) -> SessionError:
        detail = event.data["message"] if isinstance(event.data, Mapping) else event.data
        message = (
            f"session {self._setup.session_id!r}, state {', '.join(self._state_ids())}:"
            f" {detail} (an {event.name} that no transition takes)"
        )
        error = SessionError(message)
        error.__cause__ = event.cause if isinstance(event, ErrorEvent) else None
        return error


def _discard(kind: str, **fields: object) -> None:
    """Drop a row: the session keeps no transcript."""
