"""The SCXML step, as a function of configuration, data and event to the next ones and effects."""

from dataclasses import dataclass

from escapement.errors import SessionError
from escapement.event import Event, is_error
from escapement.microstep import Data, Macrostep
from escapement.table import Node, Table

MICROSTEPS_MAX = 10_000
NOTHING_HAPPENED = Event("")  # what actions receive while a session starts


@dataclass(frozen=True, slots=True)
class Step:
    """What one macrostep came to.

    Attributes:
        configuration: The active states, in document order.
        data: The session's data; read-only.
        finished: The chart has reached a top-level final state.
        accepted: The event enabled a transition.
        unhandled: An `error` event that no transition takes, which ends the session.
        trail: What was left and entered: ("exit" | "enter", state), in this order.
        started: Active states whose conversations are to start, in order of entry.
        ended: States whose conversations are to end.
    """

    configuration: tuple[Node, ...]
    data: Data
    finished: bool
    accepted: bool
    unhandled: Event | None
    trail: tuple[tuple[str, Node], ...]
    started: tuple[Node, ...]
    ended: tuple[Node, ...]


def begin(table: Table, data: Data) -> Step:
    """Enter a chart's initial state and go on until it is stable.

    Args:
        table: The compiled chart.
        data: What the session's data starts with.

    Raises:
        SessionError: The chart doesn't become stable.

    Source: SCXML appendix D, interpret.
    """
    macrostep = Macrostep((), data, NOTHING_HAPPENED)
    macrostep.enter(table.entry)
    return _settle(macrostep, accepted=True)


def step(configuration: tuple[Node, ...], data: Data, event: Event) -> Step:
    """Handle one external event and go on until the chart is stable.

    Args:
        configuration: The active states, in document order.
        data: The session's data, as the last step returned it.
        event: What has happened.

    Raises:
        SessionError: The chart doesn't become stable.

    Source: SCXML appendix D, mainEventLoop.
    """
    macrostep = Macrostep(configuration, data, event)
    return _settle(macrostep, accepted=macrostep.react())


def _settle(macrostep: Macrostep, *, accepted: bool) -> Step:
    """Take eventless transitions and internal events until there are none.

    Source: SCXML 3.13 and appendix D, mainEventLoop.
    """
    for _ in range(MICROSTEPS_MAX):
        if macrostep.finished or macrostep.unhandled:
            return _outcome(macrostep, accepted=accepted)
        enabled = macrostep.select(None)
        if enabled:
            macrostep.microstep(enabled)
        elif macrostep.raised:
            macrostep.event = macrostep.raised.popleft()
            macrostep.react()
        else:
            return _outcome(macrostep, accepted=accepted)
    names = ", ".join(node.id for node in macrostep.active)
    message = (
        f"state {names}: not stable after {MICROSTEPS_MAX:,} microsteps; look for an eventless"
        " transition or a raised event that leads back to itself"
    )
    raise SessionError(message)


def _outcome(macrostep: Macrostep, *, accepted: bool) -> Step:
    """Sum up the macrostep; conversations start only in states that are still active.

    Source: SCXML 6.4.1, `<invoke>` is run at the end of the macrostep.
    """
    if (
        macrostep.finished and macrostep.unhandled is None
    ):  # no error is lost in a final state either
        macrostep.unhandled = next(filter(is_error, macrostep.raised), None)
    entered: dict[Node, None] = {}
    ended: list[Node] = []
    for what, node in macrostep.trail:
        if node.conversation is None:
            continue
        if what == "enter":
            entered[node] = None
        elif entered.pop(node, node) is node:  # it was active before this macrostep
            ended.append(node)
    return Step(
        macrostep.active,
        macrostep.data,
        macrostep.finished,
        accepted,
        macrostep.unhandled,
        tuple(macrostep.trail),
        tuple(entered),
        tuple(ended),
    )
