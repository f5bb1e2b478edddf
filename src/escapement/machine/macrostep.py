"""The macrostep of SCXML: selects enabled transitions and takes them."""

from collections.abc import Mapping
from types import MappingProxyType

from escapement.chart import Action, Cancel, Guard, Send
from escapement.event import Event, is_error_event, make_error_event
from escapement.machine.configuration import Candidates, Configuration, Move, Place, Trail
from escapement.machine.node import Block, Node, TransitionArc

Data = Mapping[str, object]

_EFFECTS = (Event, Send, Cancel)


class Macrostep:
    """The variables of one macrostep, and the microsteps that change them.

    Attributes:
        configuration: The active states.
        history: The session's history.
        data: The session's data.
        event: The argument of actions and guards.
        raised: The internal queue.
        timers: The events sent and cancelled, in this order.
        trail: The states left and entered, in this order.
        started: The states with a conversation that were entered and not left again.
        ended: The states with a conversation that were active before and left.
        unhandled: An `error` event without a transition.
    """

    __slots__ = (
        "_before",
        "configuration",
        "data",
        "ended",
        "event",
        "history",
        "raised",
        "started",
        "timers",
        "trail",
        "unhandled",
    )

    def __init__(self, place: Place, data: Data, event: Event) -> None:
        self._before = place
        self.configuration: Configuration = place.configuration
        self.history = place.history
        # A read-only view prevents an action from changing the data of a checkpoint.
        self.data: MappingProxyType[str, object] = (
            data if isinstance(data, MappingProxyType) else MappingProxyType(dict(data))
        )
        self.event = event
        self.raised: list[Event] = []
        self.timers: tuple[Send | Cancel, ...] = ()
        self.trail: Trail = ()
        self.started: tuple[Node, ...] = ()
        self.ended: tuple[Node, ...] = ()
        self.unhandled: Event | None = None

    def find_place(self) -> Place:
        """Return the current place; the initial object if nothing has moved."""
        configuration, history, before = self.configuration, self.history, self._before
        if history is before.history:
            if configuration is before.configuration:
                return before
            if not history:
                return configuration.place
        return Place(configuration, history)

    def handle_event(self) -> bool:
        """Take the transitions for the current event; return whether there were any."""
        configuration = self.configuration
        name = self.event.name
        candidates = configuration.named.get(name)
        if candidates is None:
            candidates = configuration.find_candidates(name)
        if candidates and self.take(candidates):
            return True
        if is_error_event(self.event):
            self.unhandled = self.event
        return False

    def take(self, candidates: Candidates) -> bool:
        """Take the first enabled transition of each atomic state; return if any was.

        Source: SCXML appendix D, selectTransitions and selectEventlessTransitions.
        """
        enabled: tuple[TransitionArc, ...] = ()
        for arcs in candidates:
            for arc in arcs:
                if arc.guard is None or self.evaluate(arc.guard):
                    if arc not in enabled:
                        enabled += (arc,)
                    break
        if not enabled:
            return False
        move = self.configuration.moves.get(enabled)
        if move is None:
            move = self.configuration.find_move(enabled, self.history)
        self.apply(move)
        return True

    def evaluate(self, guard: Guard) -> bool:
        """Return the value of a guard; if it raises, false.

        Source: SCXML 5.9.1: an error in a condition raises `error.execution`.
        """
        try:
            return bool(guard(self.data, self.event))
        except Exception as error:  # noqa: BLE001  the chart handles any error of a guard
            self.raised.append(make_error_event("error.execution", error))
            return False

    def apply(self, move: Move) -> None:
        """Leave states, run the transitions' content, enter states.

        Source: SCXML appendix D, microstep.
        """
        self.configuration = move.configuration
        self.trail += move.trail
        if move.records:
            self.history = {**self.history, **move.records}
        if move.ended:
            self.end_conversations(move.ended)
        self.started += move.started
        for block in move.blocks:
            self.run_block(block)

    def end_conversations(self, nodes: tuple[Node, ...]) -> None:
        """Mark conversations as ended; one entered in this macrostep never starts.

        Source: SCXML 6.4.1: `<invoke>` runs at the end of the macrostep.
        """
        if not self.started:
            self.ended += nodes
            return
        self.ended += tuple([node for node in nodes if node not in self.started])
        self.started = tuple([node for node in self.started if node not in nodes])

    def run_block(self, block: Block) -> None:
        """Run a block of executable content; an error skips the rest of the block.

        Source: SCXML 4.9, evaluation of executable content.
        """
        for content in block:
            if isinstance(content, _EFFECTS):
                if isinstance(content, Event):
                    self.raised.append(content)
                else:
                    self.timers += (content,)
                continue
            try:
                self.run_action(content)
            except Exception as error:  # noqa: BLE001  the chart handles any error of an action
                self.raised.append(make_error_event("error.execution", error))
                return

    def run_action(self, action: Action) -> None:
        """Run an action, and merge the keys that it returns into a new mapping."""
        changed: object = action(self.data, self.event)
        if changed is None:
            return
        if not isinstance(changed, dict):
            if not isinstance(changed, Mapping):
                kind = type(changed).__name__
                message = (
                    f"an action returned {kind}; return the changed keys as a mapping, or None"
                )
                raise TypeError(message)
            changed = dict(changed)
        self.data = MappingProxyType(self.data | changed)
