"""The configurations and moves that a table caches: limited, shared and correct."""

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
    """Return a chart of regions, each switched on and off by its own event."""

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
    """Two paths to the same states lead to one object."""
    place = begin(compile_chart(switches(2)), {}).place
    one, other = place, place
    for first, second in (("switch0", "switch1"), ("switch1", "switch0")):
        one = step(one, {}, Event(first)).place
        other = step(other, {}, Event(second)).place
    assert one is other
    assert one is not place


def test_move_is_computed_once() -> None:
    """A second session that takes a transition uses the cached move."""
    chart = compile_chart(switches(1))
    start = begin(chart, {}).place.configuration
    step(start.place, {}, Event("switch0"))
    (move,) = start.moves.values()
    result = step(begin(chart, {}).place, {}, Event("switch0"))
    assert list(start.moves.values()) == [move]
    assert result.trail == move.trail


def test_configurations_are_bounded() -> None:
    """Configurations beyond the limit work, but are not cached."""
    table = compile_chart(switches(11))
    seen: dict[tuple[str, ...], Configuration] = {}
    for bits in itertools.product((0, 1), repeat=11):
        names = [f"on{n}" if bit else f"off{n}" for n, bit in enumerate(bits)]
        found = table.find_place(["p", *(f"r{n}" for n in range(11)), *names], {})
        assert found is not None
        seen[found.configuration.ids] = found.configuration
    assert len(seen) == 2**11
    kept = [one for one in seen.values() if one.is_kept]
    assert len(kept) == CONFIGURATIONS_MAX - 1  # the empty one is cached too
    last = list(seen.values())[-1]
    assert not last.is_kept
    assert "off3" in ids(step(last.place, {}, Event("switch3")))
    assert not last.moves


def test_cached_configuration_refers_to_no_uncached_one() -> None:
    """A move beyond the limit is not cached: the cache would keep its target alive."""
    table = compile_chart(switches(11))
    place = begin(table, {}).place
    for bits in itertools.product((0, 1), repeat=11):
        names = [f"on{n}" if bit else f"off{n}" for n, bit in enumerate(bits)]
        table.find_place(["p", *(f"r{n}" for n in range(11)), *names], {})
    assert place.configuration.is_kept
    result = step(place, {}, Event("switch0"))
    assert not result.place.configuration.is_kept
    assert not place.configuration.moves


def test_names_are_bounded() -> None:
    """A model that invents event names does not fill the memory."""
    state = State("a", transitions=(Transition("known", "b"),))
    place = begin(compile_chart(Chart("c", "a", (state, State("b")))), {}).place
    for number in range(NAMES_MAX + 5):
        assert not step(place, {}, Event(f"unknown{number}")).accepted
    assert len(place.configuration.named) == NAMES_MAX
    assert ids(step(place, {}, Event("known"))) == ("b",)


def test_moves_are_bounded() -> None:
    """Moves beyond the limit of one configuration work, but are not cached."""
    count = MOVES_MAX + 5
    arcs = tuple(Transition(f"go{number}", "b") for number in range(count))
    states = (State("a", transitions=arcs), State("b"))
    place = begin(compile_chart(Chart("c", "a", states)), {}).place
    for number in range(count):
        assert ids(step(place, {}, Event(f"go{number}"))) == ("b",)
    assert len(place.configuration.moves) == MOVES_MAX


@pytest.mark.parametrize(("odd", "expected"), [(True, "b"), (False, "c")])
def test_guards_are_evaluated_each_time(*, odd: bool, expected: str) -> None:
    """The cache holds the result of a transition, not the value of its guard."""

    def is_odd(data: Data, _event: Event) -> bool:
        return bool(data["odd"])

    arcs = (Transition("go", "b", guard=is_odd), Transition("go", "c"), Transition("go", "a"))
    states = (State("a", transitions=arcs), State("b"), State("c"))
    place = begin(compile_chart(Chart("c", "a", states)), {}).place
    step(place, {"odd": not odd}, Event("go"))
    assert ids(step(place, {"odd": odd}, Event("go"))) == (expected,)
