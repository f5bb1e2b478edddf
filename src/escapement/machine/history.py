"""What history states stand for: recorded when their parent is left, asked for when entered."""

from collections.abc import Iterable, Mapping

from escapement.machine.node import Node, Past

History = Mapping[str, tuple[str, ...]]  # history state -> the states that it stands for

NO_HISTORY: History = {}


class Recall:
    """A session's history as states; it notes whether anybody has asked."""

    __slots__ = ("_history", "_nodes", "asked")

    def __init__(self, history: History, nodes: Mapping[str, Node]) -> None:
        self._history = history
        self._nodes = nodes
        self.asked = False

    def add(self, records: History) -> None:
        """Take note of what is recorded in the middle of a microstep."""
        if records:
            self._history = {**self._history, **records}

    def states(self, past: Past) -> tuple[Node, ...]:
        """Return what was recorded for a history state, or nothing."""
        self.asked = True
        return tuple([self._nodes[name] for name in self._history.get(past.id, ())])


def record(left: Iterable[Node], active: tuple[Node, ...]) -> dict[str, tuple[str, ...]]:
    """Record the history of states that are about to be left.

    Args:
        left: The states.
        active: The configuration before, in document order.

    Source: SCXML appendix D, exitStates.
    """
    found = {}
    for node in left:
        for past in node.pasts:
            if past.is_deep:
                kept = [one.id for one in active if not one.children and node in one.ancestors]
            else:
                kept = [one.id for one in active if one.ancestors[0] is node]
            found[past.id] = tuple(kept)
    return found


def is_legal(top: Node, active: set[Node]) -> bool:
    """Tell whether states can be active together inside an active state.

    Source: SCXML 3.11, legal state configurations.
    """
    within = {top, *active}
    for node in within:
        inside = sum(child in active for child in node.children)
        due = len(node.children) if node.is_parallel else min(1, len(node.children))
        if inside != due or (node is not top and node.ancestors[0] not in within):
            return False
    return True


def is_memory(past: Past, states: Iterable[Node]) -> bool:
    """Tell whether states could have been recorded for a history state.

    Source: SCXML 3.10, `<history>`.
    """
    kept = set(states)
    parent = past.ancestors[0]
    if not past.is_deep:
        inside = kept.issubset(parent.children)
        return inside and len(kept) == (len(parent.children) if parent.is_parallel else 1)
    if any(node.children or parent not in node.ancestors for node in kept):
        return False
    above = {node for one in kept for node in one.ancestors[: one.ancestors.index(parent)]}
    return is_legal(parent, kept | above)
