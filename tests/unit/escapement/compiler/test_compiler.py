"""The checks and the compilation of charts."""

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
    """Return a conversation for charts that do not run."""
    return Conversation(name, lambda _: "", events=events)


def chart(*states: State | Parallel | Final, initial: str = "a") -> Chart:
    """Return a chart named `wrong`, an id that messages must contain."""
    return Chart("wrong", initial, states)


def test_chart_is_compiled_once() -> None:
    """All sessions of a chart share one table."""
    one = chart(State("a"))
    assert compile_chart(one) is compile_chart(one)


def test_equal_charts_are_compiled_apart() -> None:
    """Charts are compared by identity, not by content."""
    assert compile_chart(chart(State("a"))) is not compile_chart(chart(State("a")))


def test_initial_defaults_to_the_first_child() -> None:
    """A compound state without initial enters its first child (SCXML 3.3)."""
    table = compile_chart(chart(State("a", states=(State("b", states=(State("c"),)), State("d")))))
    assert [node.id for _, node in table.start.trail] == ["a", "b", "c"]


def test_initial_may_be_a_deep_descendant() -> None:
    """An initial may name any descendant, through states between (SCXML 3.6)."""
    inner = State("b", states=(State("c"), State("d", states=(State("e"), State("f")))))
    table = compile_chart(chart(State("a", initial="d", states=(inner,))))
    assert [node.id for _, node in table.start.trail] == ["a", "b", "d", "e"]


def test_node_repr_names_the_state() -> None:
    """A node's repr contains the id of its state."""
    table = compile_chart(with_history(History("h", "b")))
    assert (repr(table.nodes["a"]), repr(table.history_nodes["h"])) == (
        "Node('a')",
        "HistoryNode('h')",
    )


def wrong(value: object) -> Any:  # noqa: ANN401  accepted for any type
    """Return a value of the wrong type, hidden from the type checker."""
    return value


def bad_transition(transition: Transition) -> Chart:
    """Return a chart whose state `a` has this transition."""
    return chart(State("a", transitions=(transition,)))


def with_history(history: History) -> Chart:
    """Return a chart whose state `a` has a history and children `b(d)`, `c`."""
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
    """States may be entered together inside a parallel state (SCXML 3.11)."""
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
        (lambda: chart(Parallel("a", states=())), r"state 'a': has no states; a Parallel"),
        (
            lambda: chart(State("a", states=(History("h", "a"),))),
            r"state 'a': has no states; a Parallel, or a State with a History, needs some",
        ),
        (
            lambda: chart(Parallel("a", states=wrong((State("b"), Final("f"))))),
            r"state 'a': region 'f' is a Final; put it into a State",
        ),
        (
            lambda: chart(State("a"), wrong(History("h", "a"))),
            r"chart 'wrong': history 'h' is outside any state; move it into one",
        ),
        (
            lambda: with_history(History("h", "d")),
            r"state 'h': defaults to 'd', which is no child of its parent; make it deep",
        ),
        (
            lambda: with_history(History("h", "a")),
            r"state 'h': enters 'a' by default, which is not one",
        ),
        (lambda: with_history(History("h", "h")), r"state 'h': defaults to 'h', another history"),
        (
            lambda: with_history(History("h", "b c")),
            r"state 'h': 'b' and 'c' cannot be entered together",
        ),
        (lambda: with_history(History("h", "")), r"state 'h': refers to unknown state ''"),
        (
            lambda: with_history(History("h", "d", deep=True, actions=(Raise("*"),))),
            r"state 'h': raises '\*'",
        ),
        (
            lambda: chart(State("a", initial="b c", states=(State("b"), State("c")))),
            r"state 'a': 'b' and 'c' cannot .*; name states in different regions of one Parallel",
        ),
        (lambda: split("a b"), r"state 's': 'a' and 'b' cannot be entered together"),
        (lambda: split("p b"), r"'p' and 'b' cannot be entered together"),
        (lambda: split("b b1"), r"'b' and 'b1' cannot be entered together"),
        (lambda: split("b c b"), r"'b' and 'b' cannot be entered together"),
        (lambda: split("h c"), r"'h' and 'c' cannot be entered together"),
        (lambda: split("hb b1"), r"'hb' and 'b1' cannot be entered together"),
        (lambda: chart(State("a"), State("b"), initial="a b"), r"wrong': 'a' and 'b' cannot be"),
        (lambda: chart(State("a", conversation=talk("x", "*"))), r"offers '\*', which is no"),
        (lambda: chart(State("a", conversation=talk(""))), r"'' is no conversation id"),
        (
            lambda: chart(State("a", conversation=talk("x")), State("b", conversation=talk("x"))),
            r"state 'b': conversation id 'x' is used twice",
        ),
    ],
)
def test_mistake_in_a_chart_is_named(make: Callable[[], Chart], message: str) -> None:
    """Each mistake is one error that names the chart, the state and the problem."""
    with pytest.raises(ChartError, match=message) as raised:
        compile_chart(make())
    assert "chart 'wrong'" in str(raised.value)
