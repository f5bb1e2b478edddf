"""What the table remembers: bounded, shared, and never wrong."""

import itertools

import pytest

from escapement import Chart, Event, Parallel, State, Transition
from escapement.compiler.compiler import compile_chart
from escapement.machine.configuration import (
    CONFIGURATIONS_MAX,
    MOVES_MAX,
    NAMES_MAX,
    Configuration,
)
from escapement.machine.macrostep import Data
from escapement.machine.step import begin, step
from tests.unit.escapement.charts import ids


def switches(count: int) -> Chart:
    """Make a chart of regions that are switched on and off by one event each."""

    def region(number: int) -> State:
        off, on = f"off{number}", f"on{number}"
        event = f"switch{number}"
        return State(
            f"r{number}",
            states=(
                State(off, transitions=(Transition(event, on),)),
                State(on, transitions=(Transition(event, off),)),
            ),
        )

    return Chart("c", "p", (Parallel("p", states=tuple(region(n) for n in range(count))),))


def test_configuration_is_shared() -> None:
    """Two ways to the same states lead to one object."""
    place = begin(compile_chart(switches(2)), {}).place
    one, other = place, place
    for first, second in (("switch0", "switch1"), ("switch1", "switch0")):
        one = step(one, {}, Event(first)).place
        other = step(other, {}, Event(second)).place
    assert one is other
    assert one is not place


def test_move_is_computed_once() -> None:
    """The second session that takes a transition is led by what the first one found."""
    chart = compile_chart(switches(1))
    start = begin(chart, {}).place.configuration
    step(start.place, {}, Event("switch0"))
    (move,) = start.moves.values()
    result = step(begin(chart, {}).place, {}, Event("switch0"))
    assert list(start.moves.values()) == [move]
    assert result.trail == move.trail


def test_configurations_are_bounded() -> None:
    """Regions multiply: what is beyond the bound works, and is not kept."""
    table = compile_chart(switches(11))
    seen: dict[tuple[str, ...], Configuration] = {}
    for bits in itertools.product((0, 1), repeat=11):
        names = [f"on{n}" if bit else f"off{n}" for n, bit in enumerate(bits)]
        found = table.place(["p", *(f"r{n}" for n in range(11)), *names], {})
        assert found is not None
        seen[found.configuration.ids] = found.configuration
    assert len(seen) == 2**11
    kept = [one for one in seen.values() if one.is_kept]
    assert len(kept) == CONFIGURATIONS_MAX - 1  # the empty one is kept too
    last = list(seen.values())[-1]
    assert not last.is_kept
    assert "off3" in ids(step(last.place, {}, Event("switch3")))
    assert not last.moves


def test_what_is_kept_does_not_hold_what_is_not() -> None:
    """A move out of the bound is not remembered, or its target would be kept by it."""
    table = compile_chart(switches(11))
    place = begin(table, {}).place
    for bits in itertools.product((0, 1), repeat=11):
        names = [f"on{n}" if bit else f"off{n}" for n, bit in enumerate(bits)]
        table.place(["p", *(f"r{n}" for n in range(11)), *names], {})
    assert place.configuration.is_kept
    result = step(place, {}, Event("switch0"))
    assert not result.place.configuration.is_kept
    assert not place.configuration.moves


def test_names_are_bounded() -> None:
    """A model that makes up event names doesn't fill the memory."""
    state = State("a", transitions=(Transition("known", "b"),))
    place = begin(compile_chart(Chart("c", "a", (state, State("b")))), {}).place
    for number in range(NAMES_MAX + 5):
        assert not step(place, {}, Event(f"unknown{number}")).accepted
    assert len(place.configuration.named) == NAMES_MAX
    assert ids(step(place, {}, Event("known"))) == ("b",)


def test_moves_are_bounded() -> None:
    """So many ways out of one configuration that they are not all remembered work all the same."""
    count = MOVES_MAX + 5
    arcs = tuple(Transition(f"go{number}", "b") for number in range(count))
    states = (State("a", transitions=arcs), State("b"))
    place = begin(compile_chart(Chart("c", "a", states)), {}).place
    for number in range(count):
        assert ids(step(place, {}, Event(f"go{number}"))) == ("b",)
    assert len(place.configuration.moves) == MOVES_MAX


@pytest.mark.parametrize(("odd", "expected"), [(True, "b"), (False, "c")])
def test_guards_are_asked_each_time(*, odd: bool, expected: str) -> None:
    """What is remembered is what a transition comes to, and not whether it is taken."""

    def is_odd(data: Data, _event: Event) -> bool:
        return bool(data["odd"])

    arcs = (Transition("go", "b", guard=is_odd), Transition("go", "c"), Transition("go", "a"))
    states = (State("a", transitions=arcs), State("b"), State("c"))
    place = begin(compile_chart(Chart("c", "a", states)), {}).place
    step(place, {"odd": not odd}, Event("go"))
    assert ids(step(place, {"odd": odd}, Event("go"))) == (expected,)
