"""Cases of the SCXML Recommendation on steps."""

from typing import cast

import pytest

from escapement import Event, Final, Raise, State, Transition
from escapement.machine.macrostep import Data
from tests.unit.escapement.charts import drive, fail, ids, log, logged, note


def test_initial_entry_is_outermost_first() -> None:
    """States are entered in document order, parents before children (SCXML 3.13)."""
    result = drive(logged("a", logged("b", logged("c"))))
    assert (ids(result), log(result)) == (("a", "b", "c"), ("+a", "+b", "+c"))
    assert tuple(node.id for node in result.place.configuration.nodes) == ids(result)


def test_transition_exits_then_acts_then_enters() -> None:
    """Exit, transition and entry content run in this order (SCXML 3.13)."""
    result = drive(logged("a", logged("b", go="d")), logged("c", logged("d")), events=("go",))
    assert log(result)[2:] == ("-b", "-a", "take go", "+c", "+d")


def test_transition_does_not_leave_the_common_ancestor() -> None:
    """The least common compound ancestor stays active (SCXML appendix D, findLCCA)."""
    result = drive(logged("a", logged("b", go="c"), logged("c")), events=("go",))
    assert log(result)[2:] == ("-b", "take go", "+c")


@pytest.mark.parametrize(
    ("internal", "expected"),
    [(False, ("-b", "-a", "+a", "+c")), (True, ("-b", "+c"))],
)
def test_transition_into_the_source_leaves_it_unless_internal(
    *, internal: bool, expected: tuple[str, ...]
) -> None:
    """An internal transition to a descendant does not leave its source (SCXML 3.13)."""
    inner = (logged("b"), logged("c"))
    out = Transition("go", "c", internal=internal)
    outer = State(
        "a", states=inner, transitions=(out,), on_entry=(note("+a"),), on_exit=(note("-a"),)
    )
    assert log(drive(outer, events=("go",)))[2:] == expected


def test_internal_transition_out_of_the_source_is_external() -> None:
    """An internal transition needs a target inside its source (SCXML 3.13)."""
    result = drive(
        State("a", transitions=(Transition("go", "b", internal=True),)), State("b"), events=("go",)
    )
    assert ids(result) == ("b",)


def test_self_transition_leaves_and_enters_again() -> None:
    """A state that targets itself is left and entered (SCXML 3.5)."""
    assert log(drive(logged("a", go="a"), events=("go",))) == ("+a", "-a", "take go", "+a")


def test_targetless_transition_only_acts() -> None:
    """Without a target nothing is left or entered (SCXML 3.5)."""
    state = State("a", transitions=(Transition("go", actions=(note("act"),)),))
    result = drive(state, events=("go",))
    assert (ids(result), log(result), result.trail) == (("a",), ("act",), ())


def test_event_without_a_transition_is_dropped() -> None:
    """An event that enables no transition changes nothing (SCXML 3.13)."""
    result = drive(logged("a"), events=("go",))
    assert (result.accepted, log(result)) == (False, ("+a",))


def test_descendant_has_priority_over_its_ancestor() -> None:
    """A transition of a descendant takes priority (SCXML 3.13)."""
    assert ids(drive(logged("a", logged("b", go="x"), go="y"), State("x"), State("y"))) == (
        "a",
        "b",
    )
    result = drive(
        logged("a", logged("b", go="x"), go="y"), State("x"), State("y"), events=("go",)
    )
    assert ids(result) == ("x",)


def test_ancestor_handles_events_that_its_descendants_do_not() -> None:
    """An ancestor's transition is taken when no descendant has one (SCXML 3.13)."""
    result = drive(logged("a", logged("b"), go="y"), State("y"), events=("go",))
    assert ids(result) == ("y",)


def test_first_transition_in_document_order_is_taken() -> None:
    """Of two enabled transitions of a state the first one is taken (SCXML 3.13)."""
    state = State("a", transitions=(Transition("go", "x"), Transition("*", "y")))
    assert ids(drive(state, State("x"), State("y"), events=("go",))) == ("x",)


def test_false_guard_lets_the_next_transition_be_taken() -> None:
    """A transition whose guard is false is not enabled (SCXML 3.5, 5.9.1)."""
    state = State(
        "a", transitions=(Transition("go", "x", guard=lambda *_: False), Transition("go", "y"))
    )
    assert ids(drive(state, State("x"), State("y"), events=("go",))) == ("y",)


def test_guard_receives_data_and_event() -> None:
    """A guard is called with the session's data and the event."""
    seen: list[tuple[object, str]] = []

    def guard(data: Data, event: Event) -> bool:
        seen.append((data["log"], event.name))
        return True

    state = State("a", on_entry=(note("x"),), transitions=(Transition("go", guard=guard),))
    assert drive(state, events=("go",)).accepted
    assert seen == [(("x",), "go")]


def test_guard_that_raises_is_false_and_raises_error_execution() -> None:
    """A condition that raises is false, and an error event is raised (SCXML 5.9.1)."""
    state = State(
        "a", transitions=(Transition("go", "x", guard=_broken), Transition("error.execution", "y"))
    )
    assert ids(drive(state, State("x"), State("y"), events=("go",))) == ("y",)


def _broken(data: Data, event: Event) -> bool:
    fail(data, event)
    return True


def test_eventless_transitions_are_taken_until_stable() -> None:
    """A macrostep continues until no eventless transition is enabled (SCXML 3.13)."""
    a = State("a", transitions=(Transition(None, "b"),))
    b = State("b", transitions=(Transition(None, "c"),))
    assert ids(drive(a, b, State("c"))) == ("c",)


def test_eventless_transition_may_be_targetless_with_a_guard() -> None:
    """An eventless transition repeats while its guard is true (SCXML 3.5)."""

    def short(data: Data, _: Event) -> bool:
        return len(cast("tuple[str, ...]", data.get("log", ()))) < 3

    state = State("a", transitions=(Transition(guard=short, actions=(note("x"),)),))
    assert log(drive(state)) == ("x", "x", "x")


def test_eventless_transition_has_priority_over_raised_events() -> None:
    """Eventless transitions are taken before internal events (SCXML appendix D)."""
    a = State(
        "a",
        on_entry=(Raise("e"),),
        transitions=(Transition(None, "b"), Transition("e", "wrong")),
    )
    b = State("b", transitions=(Transition("e", "c"),))
    assert ids(drive(a, b, State("c"), State("wrong"))) == ("c",)


def test_raised_events_are_handled_in_order_within_the_macrostep() -> None:
    """Internal events are handled in order, before external ones (SCXML 3.13, 4.2)."""
    on = (
        Transition("go", actions=(Raise("one"), note("go"), Raise("two", 2))),
        Transition("one", actions=(note("one"), Raise("three"))),
        Transition("two", actions=(lambda data, event: note(f"two {event.data}")(data, event),)),
        Transition("three", actions=(note("three"),)),
    )
    assert log(drive(State("a", transitions=on), events=("go",))) == (
        "go",
        "one",
        "two 2",
        "three",
    )


def test_final_child_raises_done_state() -> None:
    """Entering a final child raises `done.state.PARENT` (SCXML 3.7)."""
    outer = State(
        "a",
        states=(State("b", transitions=(Transition("go", "end"),)), Final("end")),
        transitions=(Transition("done.state.a", "next"),),
    )
    result = drive(outer, State("next"), events=("go",))
    assert (ids(result), result.finished) == (("next",), False)


def test_final_grandchild_completes_its_parent_alone() -> None:
    """Only the parent of a final state is done (SCXML 3.7)."""
    inner = State("b", states=(Final("end"),))
    outer = State("a", states=(inner,), transitions=(Transition("done.state.a", "wrong"),))
    assert ids(drive(outer, State("wrong"))) == ("a", "b", "end")


def test_top_level_final_finishes() -> None:
    """A top-level final state ends the session, whatever is queued (SCXML 3.7)."""
    a = State("a", transitions=(Transition("go", "end", actions=(Raise("e"),)),))
    result = drive(a, Final("end"), events=("go",))
    assert (ids(result), result.finished, result.unhandled) == (("end",), True, None)
