"""A sketch as a chart of the runtime, and what can be seen of it."""

from collections.abc import Callable, Mapping
from typing import cast

from escapement import (
    Action,
    Chart,
    Conversation,
    Event,
    Final,
    Guard,
    History,
    Parallel,
    Raise,
    State,
    Transition,
)
from escapement.compiler.compiler import compile_chart
from escapement.machine.step import Step, begin, step
from experiments.oracle.sketch import GUARDS, Arc, Shape, Sketch, View

Data = Mapping[str, object]

_TESTS: dict[str, Callable[[int], bool]] = {
    GUARDS[0]: lambda _: True,
    GUARDS[1]: lambda n: n % 2 == 0,
    GUARDS[2]: lambda n: n % 3 != 1,
}


def watch(sketch: Sketch) -> list[View]:
    """Run a sketch, and look at it at the start and after each event."""
    table = compile_chart(to_chart(sketch))
    result = begin(table, data(sketch))
    views = [_view(result)]
    for name in sketch.events:
        if result.finished:
            break
        result = step(result.place, result.data, Event(name))
        views.append(_view(result))
    return views


def data(sketch: Sketch) -> Data:
    """Make the data that a session of a sketch starts with."""
    return {"n": 0, "fuel": sketch.fuel, "log": ()}


def to_chart(sketch: Sketch) -> Chart:
    """Make the chart of a sketch, in which every state but the final ones converses."""
    states = tuple(_state(shape) for shape in sketch.states)
    return Chart("sketch", " ".join(sketch.initial), cast("tuple[State, ...]", states))


def _view(result: Step) -> View:
    return View(
        frozenset(result.place.configuration.ids),
        cast("tuple[str, ...]", result.data["log"]),
        result.finished,
    )


def _state(shape: Shape) -> State | Parallel | Final | History:
    if shape.kind == "final":
        return Final(shape.id)
    if shape.kind == "history":
        target = " ".join(shape.targets)
        return History(shape.id, target, deep=shape.deep, actions=(_note(shape.id),))
    children = tuple(_state(child) for child in shape.children)
    arcs = tuple(_transition(arc) for arc in shape.arcs)
    entry = _block(_note(f"+{shape.id}", counts=True), shape.raises)
    leave = _block(_note(f"-{shape.id}"))
    talk = Conversation(shape.id, lambda _: "")
    if shape.kind == "parallel":
        regions = cast("tuple[State | Parallel | History, ...]", children)
        return Parallel(
            shape.id,
            states=regions,
            transitions=arcs,
            on_entry=entry,
            on_exit=leave,
            conversation=talk,
        )
    return State(
        shape.id,
        initial=" ".join(shape.targets) or None,
        states=children,
        transitions=arcs,
        on_entry=entry,
        on_exit=leave,
        conversation=talk,
    )


def _transition(arc: Arc) -> Transition:
    return Transition(
        arc.event,
        " ".join(arc.targets) or None,
        guard=_guard(arc) if arc.condition else None,
        actions=_block(_note(arc.id, burns=arc.burns), arc.raises),
        internal=arc.internal,
    )


def _guard(arc: Arc) -> Guard:
    test = _TESTS[arc.guard]

    def passes(data: Data, _event: Event) -> bool:
        return (cast("int", data["fuel"]) > 0 or not arc.burns) and test(cast("int", data["n"]))

    return passes


def _block(note: Action, raises: tuple[str, ...] = ()) -> tuple[Action | Raise, ...]:
    return (note, *[Raise(name) for name in raises])


def _note(text: str, *, counts: bool = False, burns: bool = False) -> Action:
    def note(data: Data, _event: Event) -> Data:
        return {
            "log": (*cast("tuple[str, ...]", data["log"]), text),
            "n": cast("int", data["n"]) + counts,
            "fuel": cast("int", data["fuel"]) - burns,
        }

    return note
