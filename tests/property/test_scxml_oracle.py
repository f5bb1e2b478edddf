"""Agreement with an independent SCXML interpreter, up to known differences."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from statemachine.exceptions import InvalidDefinition
from statemachine.io.scxml.processor import SCXMLProcessor

from experiments.oracle import ours, theirs
from experiments.oracle.corrections import Correction
from experiments.oracle.examine import UnexplainedError, examine, explain
from experiments.oracle.generator import make_sketch
from experiments.oracle.sketch import Arc, Shape, Sketch, View


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=40, database=None)
@given(st.randoms(use_true_random=False))
def test_generated_chart_does_what_the_oracle_does(random: Random) -> None:
    """Configurations and actions agree after each event, up to differences."""
    explain(make_sketch(random))


@pytest.mark.slow
def test_seeded_charts_do_what_the_oracle_does() -> None:
    """A fixed number of charts agrees; `python -m experiments.oracle` runs more."""
    random = Random(20)  # noqa: S311  chance, not secrets
    tally = examine(make_sketch(random) for _ in range(80))
    assert tally.charts == 80
    assert tally.events > 400
    assert f"{tally}".startswith(f"80 charts, {tally.events} events, {tally.different} diff")


def test_difference_without_a_reason_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart that the machines run differently for no known reason is shown."""
    sketch = Sketch([Shape("a")], ("a",), ("e",))
    monkeypatch.setattr(ours, "watch", lambda _: [View(frozenset("b"), (), finished=False)])
    with pytest.raises(UnexplainedError, match=r"after \(\) we have"):
        explain(sketch)


def logs(views: list[View]) -> tuple[str, ...]:
    """Give the whole log."""
    return views[-1].log


def show(sketch: Sketch, correction: Correction) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return our log and the oracle's; only the corrected oracle agrees."""
    mine = ours.watch(sketch)
    other = theirs.watch(sketch)
    assert mine != other
    assert theirs.watch(sketch, (correction,)) == mine
    assert explain(sketch) == (correction,)
    return logs(mine), logs(other)


def two_regions(*first: Shape, second: Shape) -> Shape:
    """Make a parallel state with a region of these states and one of another state."""
    return Shape("p", "parallel", [Shape("r", children=[*first], targets=(first[0].id,)), second])


def test_oracle_numbers_states_in_an_order_that_is_not_the_documents() -> None:
    """It leaves `q` before `x` and `y`; reverse document order begins with `y`.

    Its numbering starts anew after a state with children: `q` gets the number of `x`.
    """
    region = Shape(
        "r", children=[Shape("x", children=[Shape("y")], targets=("y",))], targets=("x",)
    )
    away = Arc("t", "go", ("z",))
    parallel = Shape("p", "parallel", [region, Shape("q")], arcs=[away])
    mine, other = show(Sketch([parallel, Shape("z")], ("p",), ("go",)), Correction.ORDER)
    assert mine == ("+p", "+r", "+x", "+y", "+q", "-q", "-y", "-x", "-r", "-p", "t", "+z")
    assert other[:5] == ("+p", "+r", "+x", "+q", "+y")


def test_oracle_runs_the_content_of_a_transition_again_in_the_parent_of_a_history() -> None:
    """It runs `t` twice; by 3.13 a transition's content runs once."""
    parent = Shape(
        "s", children=[Shape("x"), Shape("h", "history", targets=("x",))], targets=("x",)
    )
    start = Shape("a", arcs=[Arc("t", "go", ("h",))])
    mine, other = show(Sketch([start, parent], ("a",), ("go",)), Correction.HISTORY_CONTENT)
    assert mine == ("+a", "-a", "t", "+s", "h", "+x")
    assert other == ("+a", "-a", "t", "+s", "t", "h", "+x")


def test_oracle_asks_atomic_states_in_order_of_entry() -> None:
    """After re-entry of `x` it asks `q` first, against document order."""
    again, both = Arc("again", "go", ("x",)), Arc("one", "act")
    asked = Shape("q", arcs=[Arc("two", "act")])
    second = Shape("u", children=[asked], targets=("q",))
    parallel = two_regions(Shape("x", arcs=[again, both]), second=second)
    mine, other = show(Sketch([parallel], ("p",), ("go", "act")), Correction.SELECTION)
    assert mine[-2:] == ("one", "two")
    assert other[-2:] == ("two", "one")


def test_oracle_records_all_descendants_for_a_deep_history() -> None:
    """It leaves and enters `m` too; the domain of the transition is `m`.

    The entry set (3.13) is then what is not active or is left: `m` stays active. Appendix D
    read by the letter would run the entry of `m` without having left it.
    """
    back = Arc("back", "back", ("h",))
    middle = Shape("m", children=[Shape("x", arcs=[back]), Shape("y")], targets=("x",))
    past = Shape("h", "history", targets=("m",), deep=True)
    outer = Shape("s", children=[middle, past], targets=("m",), arcs=[Arc("out", "out", ("a",))])
    start = Shape("a", arcs=[Arc("in", "in", ("h",))])
    sketch = Sketch([outer, start], ("x",), ("out", "in", "back"))
    mine = ours.watch(sketch)
    corrected = (Correction.HISTORY_CONTENT, Correction.DEEP_HISTORY)
    assert theirs.watch(sketch, corrected) == mine
    assert logs(mine)[-3:] == ("-x", "back", "+x")
    assert logs(theirs.watch(sketch, corrected[:1]))[-5:] == ("-x", "-m", "back", "+m", "+x")


def test_oracle_enters_several_initial_states_one_by_one() -> None:
    """It ends with both children of `r` active; a compound state has one."""
    region = Shape("r", children=[Shape("x"), Shape("y")], targets=("x",))
    parallel = Shape("p", "parallel", [Shape("q"), region])
    sketch = Sketch([parallel], ("q", "y"))
    show(sketch, Correction.INITIAL)
    assert ours.watch(sketch)[0].active == {"p", "q", "r", "y"}
    assert theirs.watch(sketch)[0].active == {"p", "q", "r", "x", "y"}


def test_oracle_does_not_leave_an_atomic_state_that_targets_itself_internally() -> None:
    """It enters `a` without leaving it; by 3.13 this one is external."""
    state = Shape("a", arcs=[Arc("t", "go", ("a",), internal=True)])
    mine, other = show(Sketch([state], ("a",), ("go",)), Correction.INTERNAL_SELF)
    assert mine == ("+a", "-a", "t", "+a")
    assert other == ("+a", "t", "+a")


def test_oracle_ends_a_session_when_a_top_level_parallel_is_done() -> None:
    """It ends with `p`; by 3.7 only a final child of the chart ends the session."""
    region = Shape("r", children=[Shape("f", "final")], targets=("f",))
    other = Shape("q", children=[Shape("g", "final")], targets=("g",))
    sketch = Sketch([Shape("p", "parallel", [region, other])], ("p",))
    show(sketch, Correction.TOP_PARALLEL)
    assert not ours.watch(sketch)[-1].finished
    assert theirs.watch(sketch)[-1].finished


def test_oracle_enters_the_first_of_several_default_targets_only() -> None:
    """It enters `b1` only; by 3.10 a history's default may enter several states."""
    first = Shape("a", children=[Shape("a1"), Shape("x")], targets=("a1",))
    second = Shape("b", children=[Shape("b1"), Shape("y")], targets=("b1",))
    past = Shape("h", "history", targets=("x", "y"), deep=True)
    start = Shape("s", arcs=[Arc("t", "go", ("h",))])
    sketch = Sketch([start, Shape("p", "parallel", [first, second, past])], ("s",), ("go",))
    known = [one for one in Correction if one is not Correction.HISTORY_TARGETS]
    assert theirs.watch(sketch, known)[-1].active == {"p", "a", "x", "b", "b1"}
    assert ours.watch(sketch)[-1].active == {"p", "a", "x", "b", "y"}
    assert theirs.watch(sketch, list(Correction)) == ours.watch(sketch)
    assert Correction.HISTORY_TARGETS in explain(sketch)


def test_every_known_difference_has_a_test_that_shows_it() -> None:
    """Every known difference has a test above."""
    assert len(Correction) == sum(name.startswith("test_oracle_") for name in globals())


def test_excluded_internal_transition_out_of_its_source() -> None:
    """The oracle refuses one; by 3.5 it is then as if it were external."""
    source = Shape("a", arcs=[Arc("t", "go", ("z",), internal=True)])
    sketch = Sketch([source, Shape("z")], ("a",), ("go",))
    assert logs(ours.watch(sketch)) == ("+a", "-a", "t", "+z")
    with pytest.raises(InvalidDefinition, match="Not a valid internal transition"):
        theirs.watch(sketch)


def test_excluded_initial_by_default() -> None:
    """The oracle prefers states to finals; by 3.3 the first child counts."""
    sketch = Sketch([Shape("s", children=[Shape("f", "final"), Shape("x")])], ("s",))
    assert ours.watch(sketch)[0].active == {"s", "f"}
    assert theirs.watch(sketch, list(Correction))[0].active == {"s", "x"}


def test_excluded_datamodel() -> None:
    """The oracle makes the data at the first entry; by 5.3 it exists before.

    The data of a sketch is therefore the oracle's model, and not its document's.
    """
    document = """<scxml version="1.0" initial="y"><datamodel><data id="n" expr="1"/></datamodel>
        <state id="x"/><state id="z" initial="y"><state id="y"/></state></scxml>"""
    processor: Any = SCXMLProcessor(trusted=True)
    processor.parse_scxml("late", document)
    machine = processor.start()
    assert {state.id for state in machine.configuration} == {"z", "y"}
    assert not hasattr(machine.model, "n")
