"""The SCXML step, as a function of place, data and event to the next ones and effects."""

from typing import NamedTuple

from escapement.chart import Cancel, Send
from escapement.errors import SessionError
from escapement.event import Event, is_error
from escapement.machine.configuration import Place, Trail
from escapement.machine.macrostep import Data, Macrostep
from escapement.machine.node import Node
from escapement.machine.table import Table

MICROSTEPS_MAX = 10_000
NOTHING_HAPPENED = Event("")  # what actions receive while a session starts


class Step(NamedTuple):
    """What one macrostep came to.

    Attributes:
        place: Where the session is now; the same object when that is where it was.
        data: The session's data; read-only.
        finished: The chart has reached a top-level final state.
        accepted: The event enabled a transition.
        unhandled: An `error` event that no transition takes, which ends the session.
        trail: What was left and entered: ("exit" | "enter", state), in this order.
        started: Active states whose conversations are to start, in order of entry.
        ended: States whose conversations are to end.
        timers: Events to send and to cancel, in order of execution; those without a delay too.
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

    @property
    def configuration(self) -> tuple[Node, ...]:
        """The active states, in document order."""
        return self.place.configuration.nodes


def begin(table: Table, data: Data) -> Step:
    """Enter a chart's initial state and go on until it is stable.

    Args:
        table: The compiled chart.
        data: What the session's data starts with.

    Raises:
        SessionError: The chart doesn't become stable.

    Source: SCXML appendix D, interpret.
    """
    macrostep = Macrostep(table.nowhere, data, NOTHING_HAPPENED)
    macrostep.go(table.start)
    return _settle(macrostep, accepted=True)


def step(place: Place, data: Data, event: Event) -> Step:
    """Handle one external event and go on until the chart is stable.

    Args:
        place: Where the session is.
        data: The session's data, as the last step returned it.
        event: What has happened.

    Raises:
        SessionError: The chart doesn't become stable.

    Source: SCXML appendix D, mainEventLoop.
    """
    macrostep = Macrostep(place, data, event)
    return _settle(macrostep, accepted=macrostep.react())


def _settle(macrostep: Macrostep, *, accepted: bool) -> Step:
    """Take eventless transitions and internal events until there are none.

    Source: SCXML 3.13 and appendix D, mainEventLoop.
    """
    for _ in range(MICROSTEPS_MAX):
        configuration = macrostep.configuration
        if configuration.is_final or macrostep.unhandled is not None:
            return _outcome(macrostep, accepted=accepted)
        if configuration.eventless and macrostep.take(configuration.eventless):
            continue
        if not macrostep.raised:
            return _outcome(macrostep, accepted=accepted)
        macrostep.event = macrostep.raised.pop(0)
        macrostep.react()
    names = ", ".join(macrostep.configuration.ids)
    message = (
        f"state {names}: not stable after {MICROSTEPS_MAX:,} microsteps; look for an eventless"
        " transition or a raised event that leads back to itself"
    )
    raise SessionError(message)


def _outcome(macrostep: Macrostep, *, accepted: bool) -> Step:
    """Sum up the macrostep."""
    configuration = macrostep.configuration
    unhandled = macrostep.unhandled
    if configuration.is_final and unhandled is None:  # no error is lost in a final state either
        unhandled = next(filter(is_error, macrostep.raised), None)
    return Step(
        macrostep.place(),
        macrostep.data,
        configuration.is_final,
        accepted,
        unhandled,
        macrostep.trail,
        macrostep.started,
        macrostep.ended,
        macrostep.timers,
    )
