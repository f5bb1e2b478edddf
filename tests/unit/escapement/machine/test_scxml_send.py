"""Cases of the SCXML Recommendation on raise, send and cancel, by section."""

from typing import cast

import pytest

from escapement import Cancel, Event, Final, Guard, Parallel, Raise, Send, State, Transition
from tests.unit.escapement.charts import drive, fail, ids, log, note


def test_send_is_an_effect_of_the_step() -> None:
    """A sent event is returned: the session adds it to the external queue (6.2)."""
    late = Send("late", {"n": 1}, delay_ms=50, id="timer")
    result = drive(
        State("a", on_entry=(late,), transitions=(Transition("late", "b"),)), State("b")
    )
    assert (ids(result), result.timers) == (("a",), (late,))


def test_send_without_a_delay_is_returned_too() -> None:
    """A delay of zero uses the external queue, after raised events (6.2.4, 4.2)."""
    a = State(
        "a",
        on_entry=(Send("sent"), Raise("raised")),
        transitions=(Transition("sent", "wrong"), Transition("raised", "b")),
    )
    result = drive(a, State("b"), State("wrong"))
    assert (ids(result), result.timers) == (("b",), (Send("sent"),))


def test_sends_and_cancels_are_in_order_of_execution() -> None:
    """A cancel applies to events sent before it, also in one macrostep (6.2, 6.3)."""
    a = State(
        "a",
        on_exit=(Cancel("one"),),
        transitions=(Transition("go", "b", actions=(Send("two", delay_ms=2, id="two"),)),),
    )
    b = State("b", on_entry=(Cancel("two"),), transitions=(Transition(None, "c"),))
    c = State("c", on_entry=(Send("three", delay_ms=3),))
    assert drive(a, b, c, events=("go",)).timers == (
        Cancel("one"),
        Send("two", delay_ms=2, id="two"),
        Cancel("two"),
        Send("three", delay_ms=3),
    )


def test_error_skips_later_content_of_its_block_alone() -> None:
    """An error ends its block; content before it has taken effect (4.9)."""
    a = State(
        "a",
        on_entry=(Send("before"), fail, Send("after"), Cancel("x"), Raise("after")),
        transitions=(Transition("error.execution"), Transition("after", "wrong")),
    )
    result = drive(a, State("wrong"))
    assert (ids(result), result.timers) == (("a",), (Send("before"),))


def test_timers_of_a_step_end_with_it() -> None:
    """A step returns only the events sent in it."""
    result = drive(State("a", on_entry=(Send("e"),)), events=("nothing",))
    assert result.timers == ()


def test_raised_event_carries_its_data() -> None:
    """A raised event holds its data, as any other event does (4.2)."""

    def keep(_data: object, event: Event) -> dict[str, object]:
        return {"seen": event.data}

    a = State("a", on_entry=(Raise("e", 7),), transitions=(Transition("e", actions=(keep,)),))
    assert drive(a).data["seen"] == 7


@pytest.mark.parametrize(
    ("descriptors", "name", "taken"),
    [
        ("error foo", "error.send.failed", True),
        ("error foo", "foo.bar", True),
        ("error foo", "errors.my.custom", False),
        ("foo.*", "foo", True),
        ("foo.bar", "foo", False),
        ("*", "anything", True),
    ],
)
def test_descriptor_matches_events_by_token(descriptors: str, name: str, *, taken: bool) -> None:
    """A descriptor is a prefix of the event's name, token by token (3.12.1)."""
    a = State("a", transitions=(Transition(descriptors, actions=(note("taken"),)),))
    assert bool(log(drive(a, events=(name,)))) is taken


def test_error_in_a_guard_is_raised_once_for_each_atomic_state() -> None:
    """Each atomic state evaluates an inherited guard (5.9.1, appendix D)."""
    parallel = Parallel(
        "p",
        states=(State("a"), State("b")),
        transitions=(
            Transition("go", "wrong", guard=cast("Guard", fail)),
            Transition("error.execution", actions=(note("error"),)),
        ),
    )
    assert log(drive(parallel, State("wrong"), events=("go",))) == ("error", "error")


def test_error_event_may_end_the_session_in_a_final_state() -> None:
    """A transition may handle an error event by ending the session (5.10.2)."""
    a = State("a", on_entry=(fail,), transitions=(Transition("error", "end"),))
    result = drive(a, Final("end"))
    assert (result.finished, result.unhandled) == (True, None)
