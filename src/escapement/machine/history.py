"""The history of a session: recorded on exit of states, used on entry."""

from collections.abc import Iterable, Mapping

from escapement.machine.node import HistoryNode, Node

StateHistory = Mapping[str, tuple[str, ...]]  # history state -> the states that it stands for

NO_HISTORY: StateHistory = {}


class HistoryLookup:
    """Access to a session's history by nodes.

    Attributes:
        was_used: True after any history state was looked up.
    """

    __slots__ = ("_history", "_nodes", "was_used")

    def __init__(self, history: StateHistory, nodes: Mapping[str, Node]) -> None:
        self._history = history
        self._nodes = nodes
        self.was_used = False

    def add(self, records: StateHistory) -> None:
        """Add the records of the current microstep."""
        if records:
            self._history = {**self._history, **records}

    def find(self, history_node: HistoryNode) -> tuple[Node, ...]:
        """Return the states recorded for a history state; empty without a record."""
        self.was_used = True
        return tuple([self._nodes[name] for name in self._history.get(history_node.id, ())])


def record_history(left: Iterable[Node], active: tuple[Node, ...]) -> dict[str, tuple[str, ...]]:
    """Return the history records of the states to leave.

    Args:
        left: The states to leave.
        active: The configuration before, in document order.

    Source: SCXML appendix D, exitStates.
    """
    found = {}
    for node in left:
        for history_node in node.history_nodes:
            if history_node.is_deep:
                kept = [one.id for one in active if not one.children and node in one.ancestors]
            else:
                kept = [one.id for one in active if one.ancestors[0] is node]
            found[history_node.id] = tuple(kept)
    return found


def is_legal_configuration(top: Node, active: set[Node]) -> bool:
    """Return whether states can be active together inside an active state.

    Source: SCXML 3.11, legal state configurations.
    """
    within = {top, *active}
    for node in within:
        inside = sum(child in active for child in node.children)
        due = len(node.children) if node.is_parallel else min(1, len(node.children))
        if inside != due or (node is not top and node.ancestors[0] not in within):
            return False
    return True


def is_legal_record(history_node: HistoryNode, states: Iterable[Node]) -> bool:
    """Return whether states can be the record of a history state.

    Source: SCXML 3.10, `<history>`.
    """
    kept = set(states)
    parent = history_node.ancestors[0]
    if not history_node.is_deep:
        inside = kept.issubset(parent.children)
        return inside and len(kept) == (len(parent.children) if parent.is_parallel else 1)
    if any(node.children or parent not in node.ancestors for node in kept):
        return False
    above = {node for one in kept for node in one.ancestors[: one.ancestors.index(parent)]}
    return is_legal_configuration(parent, kept | above)
