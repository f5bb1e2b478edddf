"""Charts are checked and compiled once."""

from collections.abc import Callable
from typing import Any

import pytest

from escapement import (
    Cancel,
    Chart,
    ChartError,
    Conversation,
    Final,
    History,
    Parallel,
    Raise,
    Send,
    State,
    Transition,
)
from escapement.compiler.compiler import compile_chart


def talk(name: str, *events: str) -> Conversation:
    """Make a conversation that is never held."""
    return Conversation(name, lambda _: "", events=events)


def chart(*states: State | Parallel | Final, initial: str = "a") -> Chart:
    """Make a chart with an id that messages must name."""
    return Chart("wrong", initial, states)


def test_chart_is_compiled_once() -> None:
    """All sessions of a chart share one table."""
    one = chart(State("a"))
    assert compile_chart(one) is compile_chart(one)


def test_equal_charts_are_compiled_apart() -> None:
    """A chart's identity counts, not its looks."""
    assert compile_chart(chart(State("a"))) is not compile_chart(chart(State("a")))


def test_initial_defaults_to_the_first_child() -> None:
    """A compound state without initial enters its first child in document order (SCXML 3.3)."""
    table = compile_chart(chart(State("a", states=(State("b", states=(State("c"),)), State("d")))))
    assert [node.id for node in table.entry] == ["a", "b", "c"]


def test_initial_may_be_a_deep_descendant() -> None:
    """Initial may name any descendant, and what lies between is entered too (SCXML 3.6)."""
    inner = State("b", states=(State("c"), State("d", states=(State("e"), State("f")))))
    table = compile_chart(chart(State("a", initial="d", states=(inner,))))
    assert [node.id for node in table.entry] == ["a", "b", "d", "e"]


def test_node_repr_names_the_state() -> None:
    """A node shows which state it is."""
    table = compile_chart(past(History("h", "b")))
    assert (repr(table.nodes["a"]), repr(table.pasts["h"])) == ("Node('a')", "Past('h')")


def wrong(value: object) -> Any:  # noqa: ANN401  it passes for whatever is expected
    """Hide from the type checker that a value is of the wrong type."""
    return value


def bad_transition(transition: Transition) -> Chart:
    """Make a chart whose state `a` has this transition."""
    return chart(State("a", transitions=(transition,)))


def past(history: History) -> Chart:
    """Make a chart whose state `a` has this history, and children `b`, with `d` in it, and `c`."""
    return chart(State("a", states=(State("b", states=(State("d"),)), State("c"), history)))


def split(target: str) -> Chart:
    """Make a chart whose state `s` has a transition into a parallel state `p`."""
    regions = (
        State("b", states=(State("b1"), History("hb", "b1"))),
        State("c"),
        History("h", "b"),
    )
    source = State("s", transitions=(Transition("go", target),))
    return chart(State("a"), Parallel("p", states=regions), source)


@pytest.mark.parametrize("target", ["b c", "b1 c", "c hb", "h"])
def test_targets_in_different_regions_are_accepted(target: str) -> None:
    """States may be entered together when a parallel state is around them (SCXML 3.11)."""
    assert compile_chart(split(target)).nodes["s"].triggered[0].targets


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: chart(initial="a"), r"chart 'wrong': refers to unknown state 'a'; .*: none"),
        (lambda: chart(State("a"), State("a")), r"chart 'wrong': state id 'a' is used twice"),
        (
            lambda: chart(State("a", states=(State("b"), State("a")))),
            r"state 'a': state id 'a' is used twice",
        ),
        (lambda: chart(State("a b")), r"'a b' is no state id"),
        (lambda: chart(State("")), r"'' is no state id"),
        (
            lambda: chart(State("a"), wrong("b")),
            r"chart 'wrong': 'b' is neither a State, a Parallel, a Final nor",
        ),
        (lambda: chart(State("a", initial="b")), r"state 'a': has initial 'b' but no states"),
        (
            lambda: chart(State("a", initial="b", states=(State("c"),)), State("b")),
            r"state 'a': enters 'b' by default, which is not one of its descendants",
        ),
        (
            lambda: chart(State("a", initial="x", states=(State("c"),))),
            r"state 'a': refers to unknown state 'x'; there are: a, c",
        ),
        (
            lambda: bad_transition(Transition("e", "x")),
            r"chart 'wrong', state 'a': refers to unknown state 'x'; there are: a",
        ),
        (lambda: bad_transition(Transition("e..f", "a")), r"state 'a': 'e..f' is no event desc"),
        (lambda: bad_transition(Transition("", "a")), r"state 'a': '' is no event descriptor"),
        (lambda: bad_transition(Transition()), r"needs an event, a guard or a target"),
        (
            lambda: bad_transition(Transition("e", actions=(Raise("*"),))),
            r"raises '\*', which is no event name",
        ),
        (lambda: chart(State("a", on_entry=wrong(Raise("e")))), r"is a comma missing"),
        (lambda: chart(State("a", on_exit=wrong(print))), r"content is a tuple; is a comma"),
        (
            lambda: chart(State("a", on_exit=wrong(("x",)))),
            r"'x' is neither an action nor a Raise",
        ),
        (
            lambda: chart(State("a", on_exit=(Send("*"),))),
            r"state 'a': sends '\*', which is no event name",
        ),
        (
            lambda: chart(State("a", on_exit=(Send("e", delay_ms=-1),))),
            r"sends 'e' after -1 ms; use a whole number from 0",
        ),
        (
            lambda: chart(State("a", on_exit=(Send("e", delay_ms=wrong(0.5)),))),
            r"sends 'e' after 0.5 ms",
        ),
        (lambda: chart(State("a", on_exit=(Send("e", id=""),))), r"sends 'e' as '', which is no"),
        (lambda: chart(State("a", on_exit=(Cancel(wrong(1)),))), r"cancels 1, which is no id"),
        (lambda: chart(Parallel("a", states=())), r"state 'a': has no states, and a Parallel"),
        (
            lambda: chart(State("a", states=(History("h", "a"),))),
            r"state 'a': has no states, and a Parallel or a History needs some",
        ),
        (
            lambda: chart(Parallel("a", states=wrong((State("b"), Final("f"))))),
            r"state 'a': region 'f' is a Final; put it into a State",
        ),
        (
            lambda: chart(State("a"), wrong(History("h", "a"))),
            r"chart 'wrong': history 'h' is of no state; put it into one",
        ),
        (
            lambda: past(History("h", "d")),
            r"state 'h': defaults to 'd', which is no child of its parent; make it deep",
        ),
        (lambda: past(History("h", "a")), r"state 'h': enters 'a' by default, which is not one"),
        (lambda: past(History("h", "h")), r"state 'h': defaults to 'h', another history"),
        (lambda: past(History("h", "b c")), r"state 'h': 'b' and 'c' can't be entered together"),
        (lambda: past(History("h", "")), r"state 'h': refers to unknown state ''"),
        (
            lambda: past(History("h", "d", deep=True, actions=(Raise("*"),))),
            r"state 'h': raises '\*'",
        ),
        (
            lambda: chart(State("a", initial="b c", states=(State("b"), State("c")))),
            r"state 'a': 'b' and 'c' can't .*; name states in different regions of one Parallel",
        ),
        (lambda: split("a b"), r"state 's': 'a' and 'b' can't be entered together"),
        (lambda: split("p b"), r"'p' and 'b' can't be entered together"),
        (lambda: split("b b1"), r"'b' and 'b1' can't be entered together"),
        (lambda: split("b c b"), r"'b' and 'b' can't be entered together"),
        (lambda: split("h c"), r"'h' and 'c' can't be entered together"),
        (lambda: split("hb b1"), r"'hb' and 'b1' can't be entered together"),
        (lambda: chart(State("a"), State("b"), initial="a b"), r"wrong': 'a' and 'b' can't be"),
        (lambda: chart(State("a", conversation=talk("x", "*"))), r"offers '\*', which is no"),
        (lambda: chart(State("a", conversation=talk(""))), r"'' is no conversation id"),
        (
            lambda: chart(State("a", conversation=talk("x")), State("b", conversation=talk("x"))),
            r"state 'b': conversation id 'x' is used twice",
        ),
    ],
)
def test_mistake_in_a_chart_is_named(make: Callable[[], Chart], message: str) -> None:
    """Each mistake is one error that names the chart, the state and what is wrong."""
    with pytest.raises(ChartError, match=message) as raised:
        compile_chart(make())
    assert "chart 'wrong'" in str(raised.value)
