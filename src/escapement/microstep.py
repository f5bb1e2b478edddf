"""The microstep of SCXML: which transitions are enabled, and what taking them does."""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

from escapement.chart import Action
from escapement.event import Event, failure, is_error, takes
from escapement.table import Arc, Block, Node, document_order

Data = Mapping[str, object]


class Macrostep:
    """The variables of one macrostep, which end with it, and the steps that change them.

    Attributes:
        active: The active states, in document order.
        data: The session's data.
        event: What actions and guards receive.
        raised: The internal queue.
        trail: What was left and entered: ("exit" | "enter", state), in this order.
        finished: The chart has reached a top-level final state.
        unhandled: An `error` event that no transition takes.
    """

    __slots__ = ("active", "data", "event", "finished", "raised", "trail", "unhandled")

    def __init__(self, configuration: tuple[Node, ...], data: Data, event: Event) -> None:
        self.active = configuration
        # A read-only view keeps an action from changing what a checkpoint refers to.
        self.data: MappingProxyType[str, object] = (
            data if isinstance(data, MappingProxyType) else MappingProxyType(dict(data))
        )
        self.event = event
        self.raised: deque[Event] = deque()
        self.trail: list[tuple[str, Node]] = []
        self.finished = False
        self.unhandled: Event | None = None

    def react(self) -> bool:
        """Take the transitions that the current event enables; tell whether there were any."""
        enabled = self.select(self.event.name)
        if enabled:
            self.microstep(enabled)
        elif is_error(self.event):
            self.unhandled = self.event
        return bool(enabled)

    def select(self, name: str | None) -> list[Arc]:
        """Find the enabled transition of each active atomic state.

        Args:
            name: The event's name; none for eventless transitions.

        Source: SCXML appendix D, selectTransitions and selectEventlessTransitions.
        """
        enabled = []
        for node in self.active:
            if node.children:
                continue
            for arc in node.eventless if name is None else node.triggered:
                if (name is None or takes(arc.descriptors, name)) and self.passes(arc):
                    enabled.append(arc)
                    break
        return enabled

    def passes(self, arc: Arc) -> bool:
        """Ask a transition's guard.

        Source: SCXML 5.9.1, a condition that raises is false and puts `error.execution` in the
        internal queue.
        """
        if arc.guard is None:
            return True
        try:
            return bool(arc.guard(self.data, self.event))
        except Exception as error:  # noqa: BLE001  whatever a guard raises is the chart's to handle
            self.raised.append(failure("error.execution", error))
            return False

    def microstep(self, enabled: list[Arc]) -> None:
        """Leave states, run the transitions' content, enter states.

        Source: SCXML appendix D, microstep.
        """
        domains = {arc.domain for arc in enabled if arc.domain is not None}
        if domains:
            self.leave([node for node in self.active if not domains.isdisjoint(node.ancestors)])
        for arc in enabled:
            self.execute(arc.actions)
        for arc in enabled:
            self.enter(arc.entry)

    def leave(self, nodes: list[Node]) -> None:
        """Leave states, children before their parents.

        Source: SCXML appendix D, exitStates.
        """
        for node in reversed(nodes):
            self.execute(node.on_exit)
            self.trail.append(("exit", node))
        self.active = tuple(node for node in self.active if node not in nodes)

    def enter(self, nodes: tuple[Node, ...]) -> None:
        """Enter states, parents before their children.

        Source: SCXML appendix D, enterStates.
        """
        for node in nodes:
            self.trail.append(("enter", node))
            self.execute(node.on_entry)
            if node.is_final:
                parent = node.ancestors[0]
                if parent.ancestors:
                    self.raised.append(Event(f"done.state.{parent.id}"))
                else:
                    self.finished = True
        self.active = tuple(sorted((*self.active, *nodes), key=document_order))

    def execute(self, block: Block) -> None:
        """Run a block of executable content; an error skips the rest of the block.

        Source: SCXML 4.9, evaluation of executable content.
        """
        for content in block:
            if isinstance(content, Event):
                self.raised.append(content)
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
        if not isinstance(changed, Mapping):
            kind = type(changed).__name__
            message = f"an action returns the changed keys as a mapping, or None; not {kind}"
            raise TypeError(message)
        self.data = MappingProxyType(self.data | dict(changed))
