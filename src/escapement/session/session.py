"""The state of a running session, and the handling of its events, for any pump."""

from collections.abc import Callable
from typing import Any

from escapement.chart import Cancel, Send
from escapement.compiler.compiler import compile_chart
from escapement.errors import SessionError
from escapement.event import Event
from escapement.machine.configuration import Place, format_trail
from escapement.machine.macrostep import Data
from escapement.machine.node import Node
from escapement.machine.step import Step, begin, step
from escapement.session.conversation import Dialogue
from escapement.session.errors import (
    make_misplaced_error,
    make_unhandled_error,
    make_wedged_error,
)
from escapement.session.spec import SessionResult, SessionSpec, Status
from escapement.session.timers import Clock, Timers
from escapement.session.workers import (
    NO_TRANSCRIPT,
    ConversationPool,
    NoTranscript,
    Transcript,
    Worker,
    WorkerHost,
)
from escapement.storage.store import Checkpoint
from escapement.storage.transcript import TranscriptWriter

Workers = tuple[Worker[Any], ...]
Arrival = tuple[Event, Dialogue | None]  # the event, and the conversation to continue after it

_CHECKS = 4  # checks without progress until a session is wedged


class Session:
    """A running session.

    A pump calls `start`, then `handle_next` until `is_over`, and in any case `close`.

    Args:
        spec: The arguments of `run` or `arun`.
        host: Runs the workers.
        on_arrival: Called when an event was posted, from wherever the workers run.
        clock: The clock of the pump.

    Raises:
        ChartError: The definition of the chart is wrong.
        ValueError: `wedged_after_s` is not above 0.
    """

    __slots__ = (
        "_arrivals",
        "_cancel",
        "_clock",
        "_closed_workers",
        "_data",
        "_dialogues",
        "_has_progressed",
        "_idle_checks",
        "_is_finished",
        "_on_arrival",
        "_place",
        "_pool",
        "_session_id",
        "_store",
        "_table",
        "_timers",
        "_transcript",
        "_wedged_after_s",
    )

    def __init__(
        self, spec: SessionSpec, host: WorkerHost, on_arrival: Callable[[], None], clock: Clock
    ) -> None:
        if not spec.wedged_after_s > 0:
            message = f"wedged_after_s is {spec.wedged_after_s}; it must be above 0"
            raise ValueError(message)
        # The spec itself is not kept: there are thousands of sessions.
        self._session_id = spec.session_id
        self._store = spec.store
        self._cancel = spec.cancel
        self._wedged_after_s = spec.wedged_after_s
        self._table = compile_chart(spec.chart)
        self._place: Place = self._table.outside
        self._data: Data = {**spec.chart.data, **spec.data}
        self._is_finished = False
        # The external queue (SCXML 3.13): a list, because few events wait in it, and an empty
        # deque uses ten times as much memory.
        self._arrivals: list[Arrival] = []
        self._on_arrival = on_arrival
        self._dialogues: dict[Node, Dialogue] = {}
        self._timers: Timers | None = None  # until there is one
        self._clock = clock
        self._pool = ConversationPool(spec.session_id, host)
        self._transcript: Transcript | NoTranscript = NO_TRANSCRIPT
        if spec.transcript is not None:
            self._transcript = Transcript(TranscriptWriter(spec.transcript), spec.session_id, host)
        self._closed_workers: Workers | None = None  # until it is closed
        self._idle_checks = 0
        self._has_progressed = False

    @property
    def is_over(self) -> bool:
        """True if the chart is final, the session cancelled, or no event can arrive."""
        return (
            self._is_finished
            or not (self._dialogues or self._arrivals or self._timers)
            or self._is_cancelled
        )

    @property
    def next_due_s(self) -> float | None:
        """The time of the next timer, by the pump's clock; None without one."""
        return self._timers.next_due_s if self._timers else None

    @property
    def check_interval_s(self) -> float:
        """The time between two calls of `check_progress`."""
        return self._wedged_after_s / _CHECKS

    def start(self) -> None:
        """Enter the initial state, or resume from the session's checkpoint.

        Raises:
            CheckpointError: The checkpoint does not belong to this chart.
            SessionError: The chart fails, or a worker cannot be started.
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
            self._transcript.record("begin", trail=format_trail(result.trail))
            self._apply(result)
        else:
            self._resume(record)

    def post(self, event: Event, sender: Dialogue) -> None:
        """Queue an event of a conversation, from any worker, and wake the pump."""
        self._arrivals.append((event, sender))
        self._on_arrival()

    def handle_next(self) -> bool:
        """Handle the oldest waiting event; return whether there was one.

        Raises:
            CheckpointError: The checkpoint cannot be written.
            SessionError: The chart fails, or a worker cannot be started.
        """
        if self._timers:
            self._arrivals.extend([(event, None) for event in self._timers.take_due()])
        if not self._arrivals:
            return False
        event, sender = self._arrivals.pop(0)
        self._has_progressed = True
        if sender is not None and sender.is_over and self._waits_for(sender):
            del self._dialogues[sender.node]
        try:
            result = step(self._place, self._data, event)
        except SessionError:
            self._transcript.record("event", name=event.name, data=event.data, trail=None)
            raise
        trail = format_trail(result.trail)
        self._transcript.record("event", name=event.name, data=event.data, trail=trail)
        self._apply(result)
        if sender is not None and self._waits_for(sender):
            sender.was_accepted = result.accepted
            self._pool.advance(sender, self)
        return True

    def check_progress(self) -> None:
        """Fail if only conversations can end the wait, and none has made progress.

        Raises:
            SessionError: The time without progress has reached `wedged_after_s`.
        """
        if self._reset_progress() or self._timers:
            self._idle_checks = 0
            return
        self._idle_checks += 1
        if self._idle_checks == _CHECKS:
            raise make_wedged_error(self._session_id, self._wedged_after_s, self._dialogues)

    def close(self, error: BaseException | None = None) -> Workers:
        """End all conversations and close the workers; a second call does nothing.

        Args:
            error: The failure of the session, if any.

        Returns:
            The workers, which the pump waits for.

        Raises:
            CheckpointError: The last checkpoint of a cancelled session cannot be written.
        """
        if self._closed_workers is None:
            if self._status == "aborted" and error is None:
                self._save()
            for dialogue in self._dialogues.values():
                dialogue.abandon()
            self._dialogues.clear()
            status, problem = ("failed", repr(error)) if error else (self._status, None)
            self._transcript.record("session-end", status=status, error=problem)
            self._closed_workers = (*self._pool.close(), *self._transcript.close())
        return self._closed_workers

    def result(self) -> SessionResult:
        """Return the result of a session that is over."""
        ids = self._place.configuration.ids
        return SessionResult(self._session_id, self._status, ids, dict(self._data))

    @property
    def _is_cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_cancelled

    @property
    def _status(self) -> Status:
        if self._is_finished:
            return "done"
        return "aborted" if self._is_cancelled else "idle"

    def _reset_progress(self) -> bool:
        """Return whether there was progress since the last call."""
        progressed, self._has_progressed = self._has_progressed, False
        for dialogue in self._dialogues.values():
            progressed = progressed or dialogue.has_progressed
            dialogue.has_progressed = False
        return progressed

    def _resume(self, record: Checkpoint) -> None:
        place = self._table.find_place(record.configuration, record.history)
        if place is None or record.chart_id != self._table.chart.id:
            raise make_misplaced_error(self._session_id, record, self._table.chart.id)
        self._place = place
        self._data = record.data
        self._is_finished = place.configuration.is_final
        self._arrivals.extend([(event, None) for event in record.pending])
        if record.timers:
            self._timers = Timers(self._clock)
            self._timers.rearm(record.timers)
        # Pending events go first: they may leave the states whose conversations would start.
        while not (self._is_finished or self._is_cancelled) and self.handle_next():
            pass
        if self._is_finished or self._is_cancelled:
            return
        for node in self._place.configuration.nodes:
            if node.conversation is not None and node not in self._dialogues:
                self._open(node)

    def _apply(self, result: Step) -> None:
        self._place = result.place
        if result.unhandled is not None:
            ids = self._place.configuration.ids
            raise make_unhandled_error(self._session_id, ids, result.unhandled)
        self._data = result.data
        self._is_finished = result.finished
        for node in result.ended:
            dialogue = self._dialogues.pop(node, None)
            if dialogue is not None:
                dialogue.abandon()
        for content in result.timers:
            self._set_timer(content)
        self._save()
        if not self._is_cancelled:
            for node in result.started:
                self._open(node)

    def _set_timer(self, content: Send | Cancel) -> None:
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
        # The interpreter makes this copy in one step: events may arrive meanwhile.
        return tuple([event for event, _ in self._arrivals.copy()])

    def _open(self, node: Node) -> None:
        dialogue = Dialogue(node, self._session_id, self._data, self._transcript)
        self._dialogues[node] = dialogue
        self._pool.advance(dialogue, self)

    def _waits_for(self, sender: Dialogue) -> bool:
        return self._dialogues.get(sender.node) is sender
