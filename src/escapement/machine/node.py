"""The states of a compiled chart and the transitions between them."""

from escapement.chart import Action, Cancel, Conversation, Guard, Send
from escapement.event import Descriptor, Event

Block = tuple[Action | Event | Send | Cancel, ...]  # executable content; an event is raised


class Node:
    """A state and its relatives; the root stands for the chart and is never active."""

    __slots__ = (
        "ancestors",
        "children",
        "conversation",
        "eventless",
        "history_nodes",
        "id",
        "initial",
        "is_final",
        "is_parallel",
        "on_entry",
        "on_exit",
        "order",
        "tools",
        "triggered",
    )

    def __init__(self, state_id: str, order: int, parent: "Node | None") -> None:
        self.id = state_id
        self.order = order  # document order: parents before their children
        self.ancestors: tuple[Node, ...] = (parent, *parent.ancestors) if parent else ()
        self.children: list[Node] = []  # without history states
        self.history_nodes: list[HistoryNode] = []
        self.initial: tuple[Node, ...] = ()  # of a compound state; may hold history states
        self.is_final = False
        self.is_parallel = False
        self.on_entry: Block = ()
        self.on_exit: Block = ()
        self.conversation: Conversation | None = None
        self.tools: dict[str, str] = {}  # tool name -> event name
        # The transitions of an atomic state, then those of its ancestors: in order of priority.
        self.eventless: tuple[TransitionArc, ...] = ()
        self.triggered: tuple[TransitionArc, ...] = ()

    @property
    def is_compound(self) -> bool:
        """True if exactly one child is active while this state is, as in the root."""
        return bool(self.children) and not self.is_parallel

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"


class HistoryNode(Node):
    """A target that stands for the states active at its parent's last exit.

    Source: SCXML 3.10, `<history>`.
    """

    __slots__ = ("actions", "is_deep", "target")

    def __init__(self, state_id: str, order: int, parent: Node, *, is_deep: bool) -> None:
        super().__init__(state_id, order, parent)
        self.is_deep = is_deep
        self.target: tuple[Node, ...] = ()  # the default while nothing is recorded
        self.actions: Block = ()


class TransitionArc:
    """A compiled transition.

    Attributes:
        source: The state that defines it.
        targets: Empty for a targetless transition.
        descriptors: Match its events; empty for an eventless transition.
        is_internal: Its source stays active when all targets are inside it.
    """

    __slots__ = ("actions", "descriptors", "guard", "is_internal", "source", "targets")

    def __init__(self, source: Node, targets: tuple[Node, ...], *, is_internal: bool) -> None:
        self.source = source
        self.targets = targets
        self.is_internal = is_internal
        self.guard: Guard | None = None
        self.actions: Block = ()
        self.descriptors: tuple[Descriptor, ...] = ()
