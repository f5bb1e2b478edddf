"""What both pumps share: a session's state, and what handling an event means for it."""

from collections.abc import Callable
from typing import Any

from escapement.chart import Cancel, Send
from escapement.compiler.compiler import compile_chart
from escapement.errors import SessionError
from escapement.event import Event
from escapement.machine.configuration import Place, signed
from escapement.machine.macrostep import Data
from escapement.machine.node import Node
from escapement.machine.step import Step, begin, step
from escapement.session.conversation import Dialogue
from escapement.session.errors import failed, wedged
from escapement.session.restore import restore
from escapement.session.setup import SessionResult, Setup, Status
from escapement.session.timers import Clock, Timers
from escapement.session.workers import NO_TRANSCRIPT, Crew, NoTranscript, Site, Transcript, Worker
from escapement.storage.store import Checkpoint
from escapement.storage.transcript import Scribe

Leaving = tuple[Worker[Any], ...]
Arrival = tuple[Event, Dialogue | None]  # the event, and the conversation that waits for a verdict

_LOOKS = 4  # how often a session is looked at in the time after which it counts as wedged


class Session:
    """A running session; a pump calls `start`, `handle_next` until it is `over`, and always `close`.

    Args:
        setup: What it runs with.
        site: Where its workers run.
        arrived: Called when an event was posted, wherever the workers run.
        clock: What the pump waits by.

    Raises:
        ChartError: The chart's definition is wrong.
        ValueError: The bound of a wedge is not above zero.
    """

    __slots__ = (
        "_arrivals",
        "_arrived",
        "_cancel",
        "_clock",
        "_crew",
        "_data",
        "_dialogues",
        "_finished",
        "_idle_looks",
        "_leaving",
        "_moved",
        "_place",
        "_session_id",
        "_store",
        "_table",
        "_timers",
        "_transcript",
        "_wedged_after_s",
    )

    def __init__(
        self, setup: Setup, site: Site, arrived: Callable[[], None], clock: Clock
    ) -> None:
        if not setup.wedged_after_s > 0:
            message = f"wedged_after_s is {setup.wedged_after_s}; it must be above 0"
            raise ValueError(message)
        # The setup itself is not kept: there are thousands of sessions.
        self._session_id = setup.session_id
        self._store = setup.store
        self._cancel = setup.cancel
        self._wedged_after_s = setup.wedged_after_s
        self._table = compile_chart(setup.chart)
        self._place: Place = self._table.nowhere
        self._data: Data = {**setup.chart.data, **setup.data}
        self._finished = False
        # The external event queue (SCXML 3.13): a list, because few events ever wait in it, and an
        # empty deque takes ten times as much.
        self._arrivals: list[Arrival] = []
        self._arrived = arrived
        self._dialogues: dict[Node, Dialogue] = {}
        self._timers: Timers | None = None  # until there is one
        self._clock = clock
        self._crew = Crew(setup.session_id, site)
        self._transcript: Transcript | NoTranscript = NO_TRANSCRIPT
        if setup.transcript is not None:
            self._transcript = Transcript(Scribe(setup.transcript), setup.session_id, site)
        self._leaving: Leaving | None = None  # until it is closed
        self._idle_looks = 0
        self._moved = False

    @property
    def over(self) -> bool:
        """Whether the chart is final, it was cancelled, or nothing can ever arrive any more."""
        return (
            self._finished
            or not (self._dialogues or self._arrivals or self._timers)
            or self._is_cancelled
        )

    @property
    def next_due_s(self) -> float | None:
        """When the next timer falls due, by the session's clock; none without one."""
        return self._timers.next_due_s if self._timers else None

    @property
    def look_each_s(self) -> float:
        """The time that the pump lets pass between two calls of `look`."""
        return self._wedged_after_s / _LOOKS

    def start(self) -> None:
        """Enter the initial state, or go on from where the store says that the session was.

        Raises:
            CheckpointError: The stored record isn't one of this chart.
            SessionError: The chart fails, or a worker can't be started.
        """
        record = self._store.load(self._session_id)
        self._transcript.record(
            "session-start",
            session=self._session_id,
            chart=self._table.chart.id,
            resumed=record is not None,
        )
        if record is None:
            result = begin(self._table, self._data)
            self._transcript.record("begin", trail=signed(result.trail))
            self._apply(result)
        else:
            self._resume(record)

    def post(self, event: Event, sender: Dialogue) -> None:
        """Queue an event of a conversation, from wherever its worker runs, and wake the pump."""
        self._arrivals.append((event, sender))
        self._arrived()

    def handle_next(self) -> bool:
        """Handle the event that has waited longest; tell whether there was one.

        Raises:
            CheckpointError: The checkpoint can't be written.
            SessionError: The chart fails, or a worker can't be started.
        """
        if self._timers:
            self._arrivals.extend([(event, None) for event in self._timers.take_due()])
        if not self._arrivals:
            return False
        event, sender = self._arrivals.pop(0)
        self._moved = True
        if sender is not None and sender.over and self._waits(sender):
            del self._dialogues[sender.node]
        try:
            result = step(self._place, self._data, event)
        except SessionError:
            self._transcript.record("event", name=event.name, data=event.data, trail=None)
            raise
        trail = signed(result.trail)
        self._transcript.record("event", name=event.name, data=event.data, trail=trail)
        self._apply(result)
        if sender is not None and self._waits(sender):
            sender.accepted = result.accepted
            self._crew.advance(sender, self)
        return True

    def look(self) -> None:
        """Notice, each `look_each_s`, a session that waits for conversations in which nothing moves.

        Raises:
            SessionError: Nothing has moved for as long as the session may wait.
        """
        if self._has_moved() or self._timers:
            self._idle_looks = 0
            return
        self._idle_looks += 1
        if self._idle_looks == _LOOKS:
            raise wedged(self._session_id, self._wedged_after_s, self._dialogues)

    def close(self, error: BaseException | None = None) -> Leaving:
        """End all conversations and tell the workers to end; to close twice changes nothing.

        Args:
            error: What kept the session from its end, if anything did.

        Returns:
            The workers, for the pump to wait for.

        Raises:
            CheckpointError: The session was cancelled, and its last checkpoint can't be written.
        """
        if self._leaving is None:
            if self._status == "aborted" and error is None:
                self._save()
            for dialogue in self._dialogues.values():
                dialogue.abandon()
            self._dialogues.clear()
            status, problem = ("failed", repr(error)) if error else (self._status, None)
            self._transcript.record("session-end", status=status, error=problem)
            self._leaving = (*self._crew.close(), *self._transcript.close())
        return self._leaving

    def result(self) -> SessionResult:
        """Sum up a session that is over."""
        ids = self._place.configuration.ids
        return SessionResult(self._session_id, self._status, ids, dict(self._data))

    @property
    def _is_cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_cancelled

    @property
    def _status(self) -> Status:
        if self._finished:
            return "done"
        return "aborted" if self._is_cancelled else "idle"

    def _has_moved(self) -> bool:
        moved, self._moved = self._moved, False
        for dialogue in self._dialogues.values():
            moved = moved or dialogue.moved
            dialogue.moved = False
        return moved

    def _resume(self, record: Checkpoint) -> None:
        place = restore(self._table, record, self._session_id)
        self._place = place
        self._data = record.data
        self._finished = place.configuration.is_final
        self._arrivals.extend([(event, None) for event in record.pending])
        if record.timers:
            self._timers = Timers(self._clock)
            self._timers.rearm(record.timers)
        # What was pending goes first: it may leave the states whose conversations would start.
        while not (self._finished or self._is_cancelled) and self.handle_next():
            pass
        if self._finished or self._is_cancelled:
            return
        for node in self._place.configuration.nodes:
            if node.conversation is not None and node not in self._dialogues:
                self._open(node)

    def _apply(self, result: Step) -> None:
        self._place = result.place
        if result.unhandled is not None:
            raise failed(self._session_id, self._place.configuration.ids, result.unhandled)
        self._data = result.data
        self._finished = result.finished
        for node in result.ended:
            dialogue = self._dialogues.pop(node, None)
            if dialogue is not None:
                dialogue.abandon()
        for content in result.timers:
            self._time(content)
        self._save()
        if not self._is_cancelled:
            for node in result.started:
                self._open(node)

    def _time(self, content: Send | Cancel) -> None:
        if isinstance(content, Send) and not content.delay_ms:
            self._arrivals.append((Event(content.event, content.data), None))
        elif isinstance(content, Send):
            if self._timers is None:
                self._timers = Timers(self._clock)
            event = Event(content.event, content.data)
            self._timers.arm(event, content.delay_ms / 1000, content.id)
        elif self._timers is not None:
            self._timers.cancel(content.id)

    def _save(self) -> None:
        place, timers = self._place, self._timers
        self._store.save(
            self._session_id,
            Checkpoint(
                self._table.chart.id,
                place.configuration.ids,
                self._data,
                self._pending(),
                history=place.history,
                timers=timers.pending() if timers else (),
            ),
        )

    def _pending(self) -> tuple[Event, ...]:
        if not self._arrivals:
            return ()
        # The copy is made in one step of the interpreter, so an arrival can't come in between.
        return tuple([event for event, _ in self._arrivals.copy()])

    def _open(self, node: Node) -> None:
        dialogue = Dialogue(node, self._session_id, self._data, self._transcript)
        self._dialogues[node] = dialogue
        self._crew.advance(dialogue, self)

    def _waits(self, sender: Dialogue) -> bool:
        return self._dialogues.get(sender.node) is sender
