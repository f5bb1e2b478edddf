"""The states of a compiled chart and the transitions between them."""

from escapement.chart import Action, Cancel, Conversation, Guard, Send
from escapement.event import Descriptor, Event

Block = tuple[Action | Event | Send | Cancel, ...]  # executable content; an event is one to raise


class Node:
    """A state with its relatives; the root stands for the chart and is never in a configuration."""

    __slots__ = (
        "ancestors",
        "children",
        "conversation",
        "eventless",
        "id",
        "initial",
        "is_final",
        "is_parallel",
        "on_entry",
        "on_exit",
        "order",
        "pasts",
        "tools",
        "triggered",
    )

    def __init__(self, state_id: str, order: int, parent: "Node | None") -> None:
        self.id = state_id
        self.order = order  # document order: parents before their children
        self.ancestors: tuple[Node, ...] = (parent, *parent.ancestors) if parent else ()
        self.children: list[Node] = []  # without history states
        self.pasts: list[Past] = []
        self.initial: tuple[Node, ...] = ()  # of a compound state; history states among them
        self.is_final = False
        self.is_parallel = False
        self.on_entry: Block = ()
        self.on_exit: Block = ()
        self.conversation: Conversation | None = None
        self.tools: dict[str, str] = {}  # the name that a model calls -> the chart's event
        # Of an atomic state: its own arcs, then its ancestors', which is the order of priority.
        self.eventless: tuple[Arc, ...] = ()
        self.triggered: tuple[Arc, ...] = ()

    @property
    def is_compound(self) -> bool:
        """Whether exactly one child is active while this state is; the root counts."""
        return bool(self.children) and not self.is_parallel

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"


class Past(Node):
    """A history state: a target that stands for what was active when its parent was last left.

    Source: SCXML 3.10, `<history>`.
    """

    __slots__ = ("actions", "is_deep", "target")

    def __init__(self, state_id: str, order: int, parent: Node, *, is_deep: bool) -> None:
        super().__init__(state_id, order, parent)
        self.is_deep = is_deep
        self.target: tuple[Node, ...] = ()  # what is entered when nothing was recorded
        self.actions: Block = ()


class Arc:
    """A transition.

    Attributes:
        source: Where it is written.
        targets: What it names; none: targetless.
        descriptors: The events that it takes; none: eventless.
        is_internal: Its source stays active when all that it enters is inside.
    """

    __slots__ = ("actions", "descriptors", "guard", "is_internal", "source", "targets")

    def __init__(self, source: Node, targets: tuple[Node, ...], *, is_internal: bool) -> None:
        self.source = source
        self.targets = targets
        self.is_internal = is_internal
        self.guard: Guard | None = None
        self.actions: Block = ()
        self.descriptors: tuple[Descriptor, ...] = ()
