"""Checkpoints: one after each event, with all that is pending."""

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
from escapement.session.setup import Setup
from escapement.session.threads import Threads
from escapement.session.waiting import ThreadClock
from escapement.testing import call
from tests.unit.escapement.scenes import PATIENCE_S, TURNS, Mode, drive, endless, every, pair


class Echo:
    """A backend that calls the first tool it is offered."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Call the first tool."""
        on_delta("")
        return call(request.tools[0].removeprefix("event__"))


class Recorder(MemoryStore):
    """A store that remembers every checkpoint."""

    __slots__ = ("saved",)

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Checkpoint] = []

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Remember a checkpoint."""
        self.saved.append(record)
        super().save(session_id, record)


def test_checkpoints_differ_by_what_they_hold() -> None:
    """Where a record was read from makes no difference, everything else does."""
    record = Checkpoint("c", ("a",), {"n": 1})
    assert record == record._replace(source="elsewhere")
    assert not record != record._replace(source="elsewhere")  # noqa: SIM202  the operator itself
    assert record != record._replace(timers=(Timer(Event("late"), 1.5),))
    assert record != record._replace(history={"h": ("a",)})
    assert record != tuple(record)
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)


def test_checkpoint_can_not_be_changed() -> None:
    """A record that a store keeps by reference stays what it was."""
    with pytest.raises(AttributeError):
        Checkpoint("c", ("a",), {}).chart_id = "d"  # type: ignore[misc]


@every
def test_every_event_is_followed_by_a_checkpoint(mode: Mode) -> None:
    """There is a checkpoint after the initial macrostep, and one after each event."""
    store = Recorder()
    drive(mode, TURNS, endless(), store)
    assert [record.data["turns"] for record in store.saved] == list(range(7))
    assert [record.configuration for record in store.saved] == [("turn",)] * 6 + [("end",)]


def test_checkpoint_holds_what_is_pending() -> None:
    """What waits while an event is handled is in that event's checkpoint."""
    posted = threading.Semaphore(0)
    store = Recorder()
    chart = pair(Transition("o", "end"), inner=(Transition("i", "rest"),))
    site = Threads(Echo(), _ignore)
    session = Session(make_setup(chart, store), site, posted.release, ThreadClock())
    session.start()
    for _ in range(2):
        assert posted.acquire(timeout=PATIENCE_S)
    assert session.handle_next()
    site.join(session.close())
    last = store.saved[-1]
    states = {"i": ("end",), "o": ("outer", "rest")}  # by what is still waiting
    assert [last.configuration] == [states[event.name] for event in last.pending]


def make_setup(chart: Chart, store: MemoryStore) -> Setup:
    """Make the setup of a session whose backend is its site's to know."""
    return Setup(chart, "s", store, None, {}, None, 200.0)


def _ignore() -> None:
    """Let a wake-up pass."""


def test_idle_session_has_nothing_to_handle() -> None:
    """A pump that is woken for nothing finds nothing."""
    setup = make_setup(pair(), MemoryStore())
    session = Session(setup, Threads(endless(), _ignore), _ignore, ThreadClock())
    assert not session.handle_next()
    assert session.over
    assert session.close() == ()
