"""The conversations that a step starts and ends, and legal configurations."""

import pytest

from escapement import Chart, Conversation, Event, State, Transition
from escapement.compiler.compiler import compile_chart
from escapement.machine.macrostep import Data
from tests.unit.escapement.charts import drive, note


def talking(name: str, *transitions: Transition, states: tuple[State, ...] = ()) -> State:
    """Return a state with a conversation."""
    return State(
        name,
        states=states,
        transitions=transitions,
        conversation=Conversation(name, lambda _: name),
    )


def test_conversation_starts_in_order_of_entry() -> None:
    """Conversations start at the end of the macrostep (SCXML 6.4.1)."""
    result = drive(talking("a", states=(talking("b"),)))
    assert [node.id for node in result.started] == ["a", "b"]


def test_conversation_of_a_state_left_at_once_never_starts() -> None:
    """A state left in the same macrostep starts no conversation (SCXML 6.4.1)."""
    result = drive(talking("a", Transition(None, "b")), State("b"))
    assert (result.started, result.ended) == ((), ())


def test_conversation_ends_upon_exit_and_starts_anew_upon_reentry() -> None:
    """Exit of a state ends its conversation, re-entry starts one (SCXML 6.4.3)."""
    result = drive(
        talking("a", Transition("go", "b")),
        State("b", transitions=(Transition(None, "a"),)),
        events=("go",),
    )
    assert [node.id for node in result.ended] == ["a"]
    assert [node.id for node in result.started] == ["a"]


def test_conversation_left_twice_ends_once() -> None:
    """A state left, entered and left again in one macrostep ends one conversation."""
    go_on = State("b", transitions=(Transition(None, "c", guard=_seen), Transition(None, "a")))
    a = State(
        "a",
        on_exit=(note("-a"),),
        transitions=(Transition("go", "b"), Transition(None, "b", guard=_seen)),
        conversation=Conversation("a", lambda _: ""),
    )
    result = drive(a, go_on, State("c"), events=("go",))
    assert [node.id for node in result.ended] == ["a"]
    assert result.started == ()


def _seen(data: Data, _event: Event) -> bool:
    return bool(data.get("log"))


@pytest.mark.parametrize(
    ("state_ids", "legal"),
    [
        (("a", "b"), True),
        (("d",), True),
        (("a",), False),
        (("b",), False),
        (("a", "b", "c"), False),
        (("a", "b", "d"), False),
        ((), False),
        (("x",), False),
    ],
)
def test_configuration_must_be_legal(state_ids: tuple[str, ...], *, legal: bool) -> None:
    """An active compound state has one active child; others have none (SCXML 3.11)."""
    states = (State("a", states=(State("b"), State("c"))), State("d"))
    table = compile_chart(Chart("c", "a", states))
    assert (table.find_place(state_ids, {}) is not None) is legal
