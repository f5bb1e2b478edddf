"""Charts that log each step, and functions that run them without a session."""

from typing import cast

from escapement import Action, Chart, Event, Final, History, Parallel, State, Transition
from escapement.compiler.compiler import compile_chart
from escapement.machine.macrostep import Data
from escapement.machine.step import Step, begin, step


def note(text: str) -> Action:
    """Return an action that appends a text to the log in the data."""
    return lambda data, _: {"log": (*cast("tuple[str, ...]", data.get("log", ())), text)}


def fail(_data: Data, _event: Event) -> None:
    """Raise an error, as an action or as a guard."""
    message = "boom"
    raise ValueError(message)


def logged(name: str, *states: State | Parallel | Final | History, **arcs: str) -> State:
    """Return a state that logs its entry and exit, with targets by event."""
    return State(
        name,
        states=states,
        transitions=tuple(
            Transition(event, target, actions=(note(f"take {event}"),))
            for event, target in arcs.items()
        ),
        on_entry=(note(f"+{name}"),),
        on_exit=(note(f"-{name}"),),
    )


def regions(name: str, *states: State | Parallel | History, **arcs: str) -> Parallel:
    """Return a parallel state that logs its entry and exit, with targets by event."""
    return Parallel(
        name,
        states=states,
        transitions=tuple(
            Transition(event, target, actions=(note(f"take {event}"),))
            for event, target in arcs.items()
        ),
        on_entry=(note(f"+{name}"),),
        on_exit=(note(f"-{name}"),),
    )


def ids(result: Step) -> tuple[str, ...]:
    """Return the active states, in document order."""
    return result.place.configuration.ids


def log(result: Step) -> tuple[object, ...]:
    """Return the log."""
    return cast("tuple[object, ...]", result.data.get("log", ()))


def drive(*states: State | Parallel | Final, events: tuple[str, ...] = ()) -> Step:
    """Run a chart of these states with these events; return the last step."""
    table = compile_chart(Chart("c", states[0].id, states))
    result = begin(table, {})
    for name in events:
        result = step(result.place, result.data, Event(name))
    return result
