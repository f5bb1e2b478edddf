"""Steps with errors, with data, and of charts that never become stable."""

from types import MappingProxyType
from typing import cast

import pytest

from escapement import Action, Chart, Event, Final, Guard, Raise, SessionError, State, Transition
from escapement.compiler.compiler import compile_chart
from escapement.machine.macrostep import Data
from escapement.machine.step import begin, step
from tests.unit.escapement.charts import drive, fail, note


def test_error_on_the_way_to_the_end_is_not_lost() -> None:
    """An action that fails on entry of a final state is an unhandled error."""
    a = State("a", transitions=(Transition("go", "end", actions=(fail,)),))
    result = drive(a, Final("end"), events=("go",))
    assert result.unhandled is not None
    assert result.unhandled.name == "error.execution"


def test_action_that_raises_skips_the_rest_of_its_block() -> None:
    """An error in executable content ends the block and no other (SCXML 4.9)."""
    a = State(
        "a",
        on_exit=(note("-a"), fail, note("skipped")),
        transitions=(Transition("go", "b", actions=(note("take"),)),),
    )
    b = State("b", transitions=(Transition("error.execution", actions=(note("handled"),)),))
    assert drive(a, b, events=("go",)).data["log"] == ("-a", "take", "handled")


def test_error_event_carries_the_message() -> None:
    """An error event holds type and message of the error (SCXML 5.10.2)."""
    a = State(
        "a",
        on_entry=(fail,),
        transitions=(Transition("error", actions=(lambda _, event: {"why": event.data},)),),
    )
    assert drive(a).data["why"] == {"type": "ValueError", "message": "ValueError: boom"}


def test_unhandled_error_is_reported() -> None:
    """A step returns an error event without a transition."""
    result = drive(State("a", on_entry=(fail,)))
    assert result.unhandled is not None
    assert result.unhandled.name == "error.execution"


@pytest.mark.parametrize("value", [0, [("a", 1)], "text"])
def test_action_that_returns_no_mapping_is_an_error(value: object) -> None:
    """An action must return a mapping or None."""
    result = drive(State("a", on_entry=(cast("Action", lambda *_: value),)))
    assert result.unhandled is not None
    assert "changed keys as a mapping" in str(result.unhandled.data)


def test_data_is_replaced_not_mutated() -> None:
    """A step does not change the data of an earlier step."""
    state = State("a", transitions=(Transition("go", actions=(note("go"),)),))
    table = compile_chart(Chart("c", "a", (state,)))
    first = begin(table, {"kept": 1})
    second = step(first.place, first.data, Event("go"))
    assert (dict(first.data), dict(second.data)) == ({"kept": 1}, {"kept": 1, "log": ("go",)})


def test_action_that_returns_none_changes_nothing() -> None:
    """An action may return None."""
    assert dict(drive(State("a", on_entry=(lambda *_: None, note("x")))).data) == {"log": ("x",)}


def test_action_may_return_any_mapping() -> None:
    """An action may return a mapping that is no dictionary."""
    changed = MappingProxyType({"x": 1})
    assert dict(drive(State("a", on_entry=(lambda *_: changed,))).data) == {"x": 1}


def test_data_can_not_be_mutated_by_an_action() -> None:
    """An action that changes the data in place raises an error."""

    def mutate(data: Data, _: Event) -> None:
        cast("dict[str, object]", data)["n"] = 1

    result = drive(State("a", on_entry=(mutate,)))
    assert result.unhandled is not None
    assert dict(result.data) == {}


def always(_data: Data, _event: Event) -> bool:
    """Return true, as a guard."""
    return True


@pytest.mark.parametrize(
    "states",
    [
        (
            State("a", transitions=(Transition(None, "b"),)),
            State("b", transitions=(Transition(None, "a"),)),
        ),
        (State("a", transitions=(Transition(guard=always),)),),
        (
            State(
                "a", on_entry=(Raise("e"),), transitions=(Transition("e", actions=(Raise("e"),)),)
            ),
        ),
        (
            State(
                "a",
                transitions=(Transition(None, "a", guard=cast("Guard", fail)), Transition("*")),
            ),
        ),
    ],
)
def test_chart_that_never_becomes_stable_is_an_error(states: tuple[State, ...]) -> None:
    """An endless loop in a chart is an error instead of a hang."""
    with pytest.raises(SessionError, match=r"state [ab]: not stable after 10,000 microsteps"):
        drive(*states)
