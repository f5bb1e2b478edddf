"""The compiled form of a chart: every question that the chart alone decides, answered once."""

from collections.abc import Iterable
from operator import attrgetter

from escapement.chart import Action, Chart, Conversation, Guard
from escapement.event import Descriptor, Event

Block = tuple[Action | Event, ...]  # executable content; an event is one to raise

document_order = attrgetter("order")


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
        self.children: list[Node] = []
        self.initial: Node | None = None
        self.is_final = False
        self.on_entry: Block = ()
        self.on_exit: Block = ()
        self.conversation: Conversation | None = None
        self.tools: dict[str, str] = {}  # the name that a model calls -> the chart's event
        # Of an atomic state: its own arcs, then its ancestors', which is the order of priority.
        self.eventless: tuple[Arc, ...] = ()
        self.triggered: tuple[Arc, ...] = ()

    def __repr__(self) -> str:
        return f"Node({self.id!r})"


class Arc:
    """A transition with all that taking it means."""

    __slots__ = ("actions", "descriptors", "domain", "entry", "guard")

    def __init__(self, guard: Guard | None, actions: Block) -> None:
        self.guard = guard
        self.actions = actions
        self.descriptors: tuple[Descriptor, ...] = ()  # none: eventless
        self.domain: Node | None = None  # its descendants are left; none: targetless
        self.entry: tuple[Node, ...] = ()  # what is entered, in this order


class Table:
    """All that the sessions of one chart share."""

    __slots__ = ("chart", "entry", "nodes", "root")

    def __init__(self, chart: Chart, root: Node, nodes: dict[str, Node]) -> None:
        self.chart = chart
        self.root = root
        self.nodes = nodes
        self.entry = descend(root)[1:]

    def configuration(self, state_ids: Iterable[str]) -> tuple[Node, ...] | None:
        """Find the states of a stored configuration, or none if it isn't one of this chart.

        Source: SCXML 3.11, legal state configurations.
        """
        names = set(state_ids)
        if not names <= self.nodes.keys():
            return None
        active = {self.root, *(self.nodes[name] for name in names)}
        for node in (self.root, *self.nodes.values()):
            expected = 1 if node in active and node.children else 0
            if sum(child in active for child in node.children) != expected:
                return None
        return tuple(sorted(active - {self.root}, key=document_order))


def descend(node: Node) -> tuple[Node, ...]:
    """List a state and what is entered by default inside it, outermost first.

    Source: SCXML appendix D, addDescendantStatesToEnter.
    """
    if node.initial is None:
        return (node,)
    return (node, *path(node.initial, node)[:-1], *descend(node.initial))


def path(target: Node, domain: Node) -> tuple[Node, ...]:
    """List the states from below an ancestor down to a target, outermost first.

    Source: SCXML appendix D, addAncestorStatesToEnter.
    """
    depth = target.ancestors.index(domain)
    return (*reversed(target.ancestors[:depth]), target)


def common_ancestor(source: Node, target: Node) -> Node:
    """Find the least common compound ancestor of two states.

    Source: SCXML appendix D, findLCCA.
    """
    return next(node for node in source.ancestors if node in target.ancestors)
