"""The microstep of SCXML: which transitions are enabled, and what taking them does."""

from collections.abc import Mapping
from types import MappingProxyType

from escapement.chart import Action, Cancel, Guard, Send
from escapement.event import Event, failure, is_error
from escapement.machine.configuration import Candidates, Configuration, Move, Place, Trail
from escapement.machine.node import Arc, Block, Node

Data = Mapping[str, object]

_EFFECTS = (Event, Send, Cancel)


class Macrostep:
    """The variables of one macrostep, which end with it, and the steps that change them.

    Attributes:
        configuration: The active states.
        history: What history states stand for.
        data: The session's data.
        event: What actions and guards receive.
        raised: The internal queue.
        timers: What was sent and cancelled, in this order.
        trail: What was left and entered, in this order.
        started: States that were entered and not left again, and converse.
        ended: States that were active before, were left, and converse.
        unhandled: An `error` event that no transition takes.
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
        # A read-only view keeps an action from changing what a checkpoint refers to.
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

    def place(self) -> Place:
        """Return where the session is now; the object that it was made with if it is there yet."""
        configuration, history, before = self.configuration, self.history, self._before
        if history is before.history:
            if configuration is before.configuration:
                return before
            if not history:
                return configuration.place
        return Place(configuration, history)

    def react(self) -> bool:
        """Take the transitions that the current event enables; tell whether there were any."""
        configuration = self.configuration
        name = self.event.name
        candidates = configuration.named.get(name)
        if candidates is None:
            candidates = configuration.candidates(name)
        if candidates and self.take(candidates):
            return True
        if is_error(self.event):
            self.unhandled = self.event
        return False

    def take(self, candidates: Candidates) -> bool:
        """Take the first enabled transition of each active atomic state; tell if there was one.

        Source: SCXML appendix D, selectTransitions and selectEventlessTransitions.
        """
        enabled: tuple[Arc, ...] = ()
        for arcs in candidates:
            for arc in arcs:
                if arc.guard is None or self.passes(arc.guard):
                    if arc not in enabled:
                        enabled += (arc,)
                    break
        if not enabled:
            return False
        move = self.configuration.moves.get(enabled)
        if move is None:
            move = self.configuration.move(enabled, self.history)
        self.go(move)
        return True

    def passes(self, guard: Guard) -> bool:
        """Ask a transition's guard.

        Source: SCXML 5.9.1, a condition that raises is false and puts `error.execution` in the
        internal queue.
        """
        try:
            return bool(guard(self.data, self.event))
        except Exception as error:  # noqa: BLE001  whatever a guard raises is the chart's to handle
            self.raised.append(failure("error.execution", error))
            return False

    def go(self, move: Move) -> None:
        """Leave states, run the transitions' content, enter states.

        Source: SCXML appendix D, microstep.
        """
        self.configuration = move.configuration
        self.trail += move.trail
        if move.records:
            self.history = {**self.history, **move.records}
        if move.ended:
            self.end(move.ended)
        self.started += move.started
        for block in move.blocks:
            self.execute(block)

    def end(self, nodes: tuple[Node, ...]) -> None:
        """Note whose conversations end; one that has not begun never does.

        Source: SCXML 6.4.1, `<invoke>` is run at the end of the macrostep.
        """
        if not self.started:
            self.ended += nodes
            return
        self.ended += tuple([node for node in nodes if node not in self.started])
        self.started = tuple([node for node in self.started if node not in nodes])

    def execute(self, block: Block) -> None:
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
                self.merge(content)
            except Exception as error:  # noqa: BLE001  whatever it raises is the chart's to handle
                self.raised.append(failure("error.execution", error))
                return

    def merge(self, action: Action) -> None:
        """Run an action and put the keys that it returns into a new mapping."""
        changed: object = action(self.data, self.event)
        if changed is None:
            return
        if not isinstance(changed, dict):
            if not isinstance(changed, Mapping):
                kind = type(changed).__name__
                message = f"an action returns the changed keys as a mapping, or None; not {kind}"
                raise TypeError(message)
            changed = dict(changed)
        self.data = MappingProxyType(self.data | changed)
