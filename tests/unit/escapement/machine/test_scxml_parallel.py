"""Cases of the SCXML Recommendation on parallel states and completion, by section."""

import pytest

from escapement import Final, Parallel, Raise, State, Transition
from tests.unit.escapement.charts import drive, ids, log, logged, note, regions


def test_parallel_enters_all_of_its_children() -> None:
    """All children of an active parallel state are active, in document order (3.4)."""
    result = drive(regions("p", logged("a", logged("a1")), logged("b", logged("b1"))))
    assert ids(result) == ("p", "a", "a1", "b", "b1")
    assert log(result) == ("+p", "+a", "+a1", "+b", "+b1")


def test_parallel_is_left_in_reverse_document_order() -> None:
    """Leaving a parallel state leaves its regions, the last one first (3.4, 3.13)."""
    parallel = regions("p", logged("a", logged("a1")), logged("b", logged("b1")), go="z")
    result = drive(parallel, logged("z"), events=("go",))
    assert log(result)[5:] == ("-b1", "-b", "-a1", "-a", "-p", "take go", "+z")


def test_event_is_processed_in_each_region() -> None:
    """Each region takes its transition in one microstep, in order (3.4, 3.13)."""
    a = logged("a", logged("a1", go="a2"), logged("a2"))
    b = logged("b", logged("b1", go="b2"), logged("b2"))
    result = drive(regions("p", a, b), events=("go",))
    assert ids(result) == ("p", "a", "a2", "b", "b2")
    assert log(result)[5:] == ("-b1", "-a1", "take go", "take go", "+a2", "+b2")


def test_transition_into_one_region_enters_the_others_by_default() -> None:
    """A target in a parallel state enters its other regions (3.4, appendix D)."""
    a = logged("a", logged("a1"), logged("a2"))
    result = drive(logged("s", go="a2"), regions("p", a, logged("b")), events=("go",))
    assert ids(result) == ("p", "a", "a2", "b")
    assert log(result)[3:] == ("+p", "+a", "+a2", "+b")


def test_several_targets_are_entered_together() -> None:
    """A transition may name a state in each of several regions (3.5, 3.11)."""
    a = logged("a", logged("a1"), logged("a2"))
    b = logged("b", logged("b1"), logged("b2"))
    result = drive(logged("s", go="b2 a2"), regions("p", a, b), events=("go",))
    assert ids(result) == ("p", "a", "a2", "b", "b2")


def test_several_initial_states_are_entered_together() -> None:
    """An initial may name states in several regions (3.3, 3.11)."""
    parallel = regions("p", logged("a", logged("a1"), logged("a2")), logged("b"))
    assert ids(drive(State("s", initial="b a2", states=(parallel,)))) == ("s", "p", "a", "a2", "b")


def test_transition_between_regions_leaves_the_parallel_state() -> None:
    """A parallel state is no domain, so it is left and entered again (appendix D)."""
    result = drive(regions("p", logged("a", go="b"), logged("b")), events=("go",))
    assert log(result)[3:] == ("-b", "-a", "-p", "take go", "+p", "+a", "+b")


def test_internal_transition_of_a_parallel_state_leaves_it() -> None:
    """An internal transition needs a compound source (3.5, 3.13)."""
    parallel = Parallel(
        "p",
        states=(State("a"), State("b")),
        transitions=(Transition("go", "b", internal=True),),
        on_exit=(note("-p"),),
    )
    assert log(drive(parallel, events=("go",))) == ("-p",)


def test_first_of_two_conflicting_transitions_is_taken() -> None:
    """Of two transitions from the same states, the first wins (3.13)."""
    parallel = regions("p", logged("a", go="x"), logged("b", go="y"))
    assert ids(drive(parallel, State("x"), State("y"), events=("go",))) == ("x",)


def test_transition_in_a_descendant_preempts_one_of_its_ancestor() -> None:
    """A region's transition preempts one of an ancestor (3.13, appendix D)."""
    inner = State("b", states=(logged("b1", go="b2"), logged("b2")))
    result = drive(regions("p", logged("a"), inner, go="x"), State("x"), events=("go",))
    assert ids(result) == ("p", "a", "b", "b2")


def test_transitions_without_a_common_exit_are_taken_together() -> None:
    """Transitions that leave no common state do not conflict (3.13, appendix D)."""
    act = State("a", transitions=(Transition("go", actions=(note("act"),)),))
    result = drive(regions("p", act, logged("b"), go="x"), State("x"), events=("go",))
    assert ids(result) == ("x",)
    assert log(result)[2:] == ("-b", "-p", "act", "take go")


def test_transition_of_a_common_ancestor_is_taken_once() -> None:
    """A transition selected in several regions runs once (appendix D)."""
    parallel = Parallel(
        "p",
        states=(State("a"), State("b")),
        transitions=(Transition("go", actions=(note("once"),)),),
    )
    assert log(drive(parallel, events=("go",))) == ("once",)


def test_parallel_is_done_when_all_of_its_regions_are() -> None:
    """The last region's `done.state` precedes the parallel state's own (3.4, 3.7)."""
    a = State("a", states=(logged("a1", go="a2"), Final("a2")))
    b = State("b", states=(logged("b1", stop="b2"), Final("b2")))
    heard = tuple(
        Transition(f"done.state.{name}", actions=(note(f"done {name}"),)) for name in "abp"
    )
    parallel = Parallel("p", states=(a, b), transitions=heard)
    assert log(drive(parallel, events=("go",)))[-1:] == ("done a",)
    assert log(drive(parallel, events=("go", "stop")))[-2:] == ("done b", "done p")


def test_region_without_a_final_state_is_never_done() -> None:
    """A parallel with an atomic region is not done (appendix D)."""
    heard = (Transition("done.state.p", "z"),)
    parallel = Parallel(
        "p", states=(State("a", states=(Final("f"),)), State("b")), transitions=heard
    )
    assert ids(drive(parallel, State("z"))) == ("p", "a", "f", "b")


def test_parallel_in_a_parallel_counts_as_done() -> None:
    """A parallel region is done when its own regions are (appendix D)."""
    inner = Parallel("q", states=(State("a", states=(Final("f"),)),))
    outer = Parallel(
        "p",
        states=(inner, State("b", states=(Final("g"),))),
        transitions=(Transition("done.state.p", "z"),),
    )
    assert ids(drive(outer, State("z"))) == ("z",)


def test_top_level_parallel_that_is_done_does_not_end_the_session() -> None:
    """Only a final child of the chart ends the session (3.7)."""
    result = drive(Parallel("p", states=(State("a", states=(Final("f"),)),)))
    assert not result.finished


def test_done_event_comes_between_what_entries_raise() -> None:
    """`done.state` is raised on entry of the final state, not later (appendix D)."""
    a = State("a", states=(Final("f"),), on_entry=(Raise("first"),))
    b = State("b", on_entry=(Raise("last"),))
    heard = tuple(
        Transition(name, actions=(note(name),)) for name in ("first", "done.state.a", "last")
    )
    result = drive(Parallel("p", states=(a, b), transitions=heard))
    assert log(result) == ("first", "done.state.a", "last")


@pytest.mark.parametrize(
    ("internal", "expected"), [(True, ("-a1", "-a2")), (False, ("-a1", "-a2"))]
)
def test_region_that_targets_a_descendant(*, internal: bool, expected: tuple[str, ...]) -> None:
    """An external transition of a region leaves the other regions too (3.13)."""
    a = State(
        "a",
        states=(logged("a1"), logged("a2")),
        transitions=(Transition("go", "a2", internal=internal),),
    )
    result = drive(regions("p", a, logged("b")), events=("go", "go"))
    exits = tuple(text for text in log(result) if str(text).startswith("-a"))
    assert exits == expected
    assert ("-b" in log(result)) is not internal
