"""Checkpoints: one after each event, with all pending events."""

import threading
from collections.abc import Callable

import pytest

from escapement import (
    Chart,
    Checkpoint,
    Event,
    LLMReply,
    LLMRequest,
    MemoryStore,
    Timer,
    Transition,
)
from escapement.session.session import Session
from escapement.session.signals import ThreadClock
from escapement.session.spec import SessionSpec
from escapement.session.threads import ThreadHost
from escapement.testing import call
from tests.unit.escapement.scenes import TIMEOUT_S, TURNS, Mode, drive, endless, every_mode, pair


class Echo:
    """A backend that calls the first tool of each request."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Return a call of the first tool."""
        on_delta("")
        return call(request.tools[0].removeprefix("event__"))


class Recorder(MemoryStore):
    """A store that keeps every checkpoint."""

    __slots__ = ("saved",)

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Checkpoint] = []

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Keep a checkpoint."""
        self.saved.append(record)
        super().save(session_id, record)


def test_checkpoints_are_compared_by_content() -> None:
    """All fields but `source` are compared."""
    record = Checkpoint("c", ("a",), {"n": 1})
    assert record == record._replace(source="elsewhere")
    assert not record != record._replace(source="elsewhere")  # noqa: SIM202  the operator itself
    assert record != record._replace(timers=(Timer(Event("late"), 1.5),))
    assert record != record._replace(history={"h": ("a",)})
    assert record != tuple(record)
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)


def test_checkpoint_cannot_be_changed() -> None:
    """A record that a store refers to is immutable."""
    with pytest.raises(AttributeError):
        Checkpoint("c", ("a",), {}).chart_id = "d"  # type: ignore[misc]


@every_mode
def test_every_event_is_followed_by_a_checkpoint(mode: Mode) -> None:
    """A checkpoint follows the initial macrostep and each event."""
    store = Recorder()
    drive(mode, TURNS, endless(), store)
    assert [record.data["turns"] for record in store.saved] == list(range(7))
    assert [record.configuration for record in store.saved] == [("turn",)] * 6 + [("end",)]


def test_checkpoint_holds_pending_events() -> None:
    """The checkpoint of an event holds the events that wait after it."""
    posted = threading.Semaphore(0)
    store = Recorder()
    chart = pair(Transition("o", "end"), inner=(Transition("i", "rest"),))
    host = ThreadHost(Echo(), _ignore)
    session = Session(make_spec(chart, store), host, posted.release, ThreadClock())
    session.start()
    for _ in range(2):
        assert posted.acquire(timeout=TIMEOUT_S)
    assert session.handle_next()
    host.join(session.close())
    last = store.saved[-1]
    states = {"i": ("end",), "o": ("outer", "rest")}  # by the pending event
    assert [last.configuration] == [states[event.name] for event in last.pending]


def make_spec(chart: Chart, store: MemoryStore) -> SessionSpec:
    """Return the spec of a session; its host knows the backend."""
    return SessionSpec(chart, "s", store, None, {}, None, 200.0)


def _ignore() -> None:
    """Do nothing on an arrival."""


def test_idle_session_has_nothing_to_handle() -> None:
    """A session without events handles none, and is over."""
    spec = make_spec(pair(), MemoryStore())
    session = Session(spec, ThreadHost(endless(), _ignore), _ignore, ThreadClock())
    assert not session.handle_next()
    assert session.is_over
    assert session.close() == ()
