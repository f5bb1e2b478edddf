"""Cases of the SCXML Recommendation on history states, by section."""

import pytest

from escapement import Chart, Event, History, Parallel, Raise, State, Transition
from escapement.compiler.compiler import compile_chart
from escapement.machine.configuration import Place
from escapement.machine.step import Step, begin, step
from tests.unit.escapement.charts import drive, ids, log, logged, note


def player(*, deep: bool = False) -> tuple[State, State]:
    """Return a state with a history, and another state beside it."""
    inner = State("b", states=(State("c"), State("d")), transitions=(Transition("inner", "d"),))
    past = History("h", "a", deep=deep, actions=(note("default"),))
    on = logged("on", past, State("a"), inner, next="b", off="idle")
    return State("idle", transitions=(Transition("back", "h"),)), on


@pytest.mark.parametrize(
    ("deep", "events", "expected"),
    [
        (False, ("back",), ("on", "a")),
        (False, ("back", "next", "off", "back"), ("on", "b", "c")),
        (False, ("back", "next", "inner", "off", "back"), ("on", "b", "c")),
        (True, ("back",), ("on", "a")),
        (True, ("back", "next", "inner", "off", "back"), ("on", "b", "d")),
    ],
)
def test_history_restores_the_states_that_were_left(
    *, deep: bool, events: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """Shallow history restores the child, deep history the innermost states (3.10)."""
    assert ids(drive(*player(deep=deep), events=events)) == expected


def test_history_default_runs_its_content_after_the_parents_entry() -> None:
    """The content runs after the parent's entry, and only for the default (3.10)."""
    first = drive(*player(), events=("back",))
    assert log(first) == ("+on", "default")
    again = drive(*player(), events=("back", "off", "back"))
    assert log(again)[2:] == ("-on", "take off", "+on")


def test_history_default_runs_no_content_in_a_parent_that_is_active() -> None:
    """The content belongs to the parent's entry, which does not happen (appendix D)."""
    past = History("h", "b", actions=(note("default"),))
    first = State("a", transitions=(Transition("go", "h"),))
    result = drive(State("on", states=(first, State("b"), past)), events=("go",))
    assert (ids(result), log(result)) == (("on", "b"), ())


def test_history_of_a_parallel_restores_its_regions() -> None:
    """Deep history of a parallel state restores a state in each region (3.10)."""
    regions = tuple(
        State(
            name,
            states=(
                State(f"{name}1", transitions=(Transition(name, f"{name}2"),)),
                State(f"{name}2"),
            ),
        )
        for name in "ab"
    )
    parallel = Parallel(
        "p",
        states=(*regions, History("h", "a1 b1", deep=True), History("hs", "a")),
        transitions=(Transition("off", "idle"),),
    )
    idle = State("idle", transitions=(Transition("back", "h"), Transition("shallow", "hs")))
    assert ids(drive(idle, parallel, events=("back",))) == ("p", "a", "a1", "b", "b1")
    again = drive(idle, parallel, events=("back", "b", "off", "back"))
    assert ids(again) == ("p", "a", "a1", "b", "b2")
    assert again.place.history == {"h": ("a1", "b2"), "hs": ("a", "b")}
    shallow = drive(idle, parallel, events=("back", "b", "off", "shallow"))
    assert ids(shallow) == ("p", "a", "a1", "b", "b1")


def test_history_may_be_an_initial_target() -> None:
    """An initial may name a history state (3.3, 3.10)."""
    on = State(
        "on",
        initial="h",
        states=(State("a"), State("b"), History("h", "a")),
        transitions=(Transition("next", "b"), Transition("off", "idle")),
    )
    idle = State("idle", transitions=(Transition("back", "on"),))
    assert ids(drive(on, idle)) == ("on", "a")
    assert ids(drive(on, idle, events=("next", "off", "back"))) == ("on", "b")


def test_history_entered_from_inside_does_not_leave_common_ancestors() -> None:
    """Active states outside the domain stay (3.13, entry set)."""
    again = Transition("again", "h")
    middle = logged("m", State("x", transitions=(again,)), State("y"))
    outer = State("s", states=(middle, History("h", "x", deep=True)))
    result = drive(outer, events=("again",))
    assert (ids(result), log(result)) == (("s", "m", "x"), ("+m",))


def test_move_through_a_history_depends_on_the_sessions_own() -> None:
    """Two sessions with different histories enter different states (3.10)."""
    ends = [
        ids(drive(*player(), events=("back", *way, "off", "back"))) for way in ((), ("next",), ())
    ]
    assert ends == [("on", "a"), ("on", "b", "c"), ("on", "a")]


CHART = Chart(
    "c",
    "idle",
    (
        State("idle", transitions=(Transition("back", "h"),)),
        State(
            "s",
            states=(
                Parallel(
                    "p",
                    states=(
                        State("a", states=(State("a1"), State("a2"))),
                        State("b"),
                        History("hp", "a"),
                    ),
                ),
                State("q"),
                History("h", "q"),
                History("hd", "q", deep=True),
            ),
        ),
    ),
)
IN_P = ("s", "p", "a", "a1", "b")


@pytest.mark.parametrize(
    ("state_ids", "history"),
    [
        (("idle",), {}),
        (IN_P, {}),
        (IN_P, {"h": ("p",)}),
        (("idle",), {"h": ("q",), "hd": ("q",)}),
        (("idle",), {"hd": ("a2", "b"), "hp": ("a", "b")}),
    ],
)
def test_legal_place_is_restored(
    state_ids: tuple[str, ...], history: dict[str, tuple[str, ...]]
) -> None:
    """A stored place is restored, in any order of its states (3.10, 3.11)."""
    table = compile_chart(CHART)
    backwards = {past: list(states[::-1]) for past, states in history.items()}
    place = table.find_place(state_ids[::-1], backwards)
    assert place is not None
    assert (place.configuration.ids, place.history) == (state_ids, history)
    assert table.find_place(state_ids, history) == place


@pytest.mark.parametrize(
    ("state_ids", "history"),
    [
        (("s", "p", "a", "a1"), {}),
        (("s", "p", "a", "b"), {}),
        ((*IN_P, "q"), {}),
        ((*IN_P, "idle"), {}),
        (("a1",), {}),
        (("h",), {}),
        (("idle",), {"x": ("q",)}),
        (("idle",), {"s": ("q",)}),
        (("idle",), {"h": ("x",)}),
        (("idle",), {"h": ()}),
        (("idle",), {"h": ("a",)}),
        (("idle",), {"h": ("p", "q")}),
        (("idle",), {"hp": ("a",)}),
        (("idle",), {"hd": ()}),
        (("idle",), {"hd": ("a1",)}),
        (("idle",), {"hd": ("a1", "a2", "b")}),
        (("idle",), {"hd": ("a", "b")}),
        (("idle",), {"hd": ("idle",)}),
        (("idle",), {"hd": ("a1", "b", "q")}),
    ],
)
def test_illegal_place_is_rejected(
    state_ids: tuple[str, ...], history: dict[str, tuple[str, ...]]
) -> None:
    """An illegal configuration or an impossible history is no place (3.10, 3.11)."""
    assert compile_chart(CHART).find_place(state_ids, history) is None


def test_restored_history_is_used() -> None:
    """A resumed session enters the states of its stored history (3.10)."""
    place = compile_chart(CHART).find_place(("idle",), {"h": ("p",)})
    assert place is not None
    assert ids(step(place, {}, Event("back"))) == IN_P


def test_place_without_history_is_shared() -> None:
    """Sessions in one configuration without a history share one object."""
    table = compile_chart(CHART)
    first, second = begin(table, {}), begin(table, {})
    assert first.place is second.place
    assert isinstance(first.place, Place)
    assert step(first.place, {}, Event("nothing")).place is first.place


def test_place_is_the_same_object_when_nothing_has_moved() -> None:
    """An unhandled event makes no new place, also in a session with a history."""
    place = compile_chart(CHART).find_place(("idle",), {"h": ("p",)})
    assert place is not None
    assert step(place, {}, Event("nothing")).place is place


def run_through(result: Step, *names: str) -> Step:
    """Handle more events after a step; return the last step."""
    for name in names:
        result = step(result.place, result.data, Event(name))
    return result


def test_history_of_an_earlier_place_does_not_change() -> None:
    """A later step does not change a history that a checkpoint refers to."""
    table = compile_chart(Chart("c", "idle", player()))
    first = run_through(begin(table, {}), "back", "off")
    second = run_through(first, "back", "next", "off")
    assert (first.place.history, second.place.history) == ({"h": ("a",)}, {"h": ("b",)})


def test_history_content_may_raise() -> None:
    """The content of a history's default may raise events (3.10, 4)."""
    past = History("h", "a", actions=(Raise("on"),))
    on = State("s", states=(past, State("a", transitions=(Transition("on", "b"),)), State("b")))
    assert ids(drive(State("i", transitions=(Transition("go", "h"),)), on, events=("go",))) == (
        "s",
        "b",
    )
