"""The SCXML step: a function from place, data and event to place and effects."""

from typing import NamedTuple

from escapement.chart import Cancel, Send
from escapement.errors import SessionError
from escapement.event import Event, is_error_event
from escapement.machine.configuration import Place, Trail
from escapement.machine.macrostep import Data, Macrostep
from escapement.machine.node import Node
from escapement.machine.table import ChartTable

MICROSTEPS_MAX = 10_000
START_EVENT = Event("")  # the argument of actions while a session starts


class Step(NamedTuple):
    """The result of one macrostep.

    Attributes:
        place: The place afterwards; the same object if it is the same place.
        data: The session's data; read-only.
        finished: True in a top-level final state.
        accepted: True if the event enabled a transition.
        unhandled: An `error` event without a transition; it ends the session.
        trail: The states left and entered, in this order: ("exit" | "enter", state).
        started: The active states whose conversations start, in order of entry.
        ended: The states whose conversations end.
        timers: The events to send and cancel, in order of execution; with and without a delay.
    """

    place: Place
    data: Data
    finished: bool
    accepted: bool
    unhandled: Event | None
    trail: Trail
    started: tuple[Node, ...]
    ended: tuple[Node, ...]
    timers: tuple[Send | Cancel, ...]


def begin(table: ChartTable, data: Data) -> Step:
    """Enter a chart's initial state, and run until the chart is stable.

    Raises:
        SessionError: The chart does not become stable.

    Source: SCXML appendix D, interpret.
    """
    macrostep = Macrostep(table.outside, data, START_EVENT)
    macrostep.apply(table.start)
    return _settle(macrostep, accepted=True)


def step(place: Place, data: Data, event: Event) -> Step:
    """Handle one external event, and run until the chart is stable.

    Args:
        place: The session's place.
        data: The session's data, as the last step returned it.
        event: The event.

    Raises:
        SessionError: The chart does not become stable.

    Source: SCXML appendix D, mainEventLoop.
    """
    macrostep = Macrostep(place, data, event)
    return _settle(macrostep, accepted=macrostep.handle_event())


def _settle(macrostep: Macrostep, *, accepted: bool) -> Step:
    """Take eventless transitions and internal events until none is left.

    Source: SCXML 3.13 and appendix D, mainEventLoop.
    """
    for _ in range(MICROSTEPS_MAX):
        configuration = macrostep.configuration
        if configuration.is_final or macrostep.unhandled is not None:
            return _make_step(macrostep, accepted=accepted)
        if configuration.eventless and macrostep.take(configuration.eventless):
            continue
        if not macrostep.raised:
            return _make_step(macrostep, accepted=accepted)
        macrostep.event = macrostep.raised.pop(0)
        macrostep.handle_event()
    names = ", ".join(macrostep.configuration.ids)
    message = (
        f"state {names}: not stable after {MICROSTEPS_MAX:,} microsteps; look for an eventless"
        " transition or a raised event that leads back to itself"
    )
    raise SessionError(message)


def _make_step(macrostep: Macrostep, *, accepted: bool) -> Step:
    configuration = macrostep.configuration
    unhandled = macrostep.unhandled
    if configuration.is_final and unhandled is None:  # a final state must not hide an error
        unhandled = next(filter(is_error_event, macrostep.raised), None)
    return Step(
        macrostep.find_place(),
        macrostep.data,
        configuration.is_final,
        accepted,
        unhandled,
        macrostep.trail,
        macrostep.started,
        macrostep.ended,
        macrostep.timers,
    )
