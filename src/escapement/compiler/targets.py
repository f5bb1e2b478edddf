"""Finds the target states in a chart, and checks that they can be active together."""

from collections.abc import Mapping
from itertools import combinations

from escapement.machine.node import HistoryNode, Node


def find_targets(
    text: str, known: Mapping[str, Node], *, inside: Node | None = None
) -> tuple[Node, ...]:
    """Return the states that a `target` or an `initial` names.

    Args:
        text: Ids, separated by blanks.
        known: All states by id, with history states.
        inside: A state that must be an ancestor of all targets.

    Raises:
        ValueError: A target is wrong; the message describes the mistake.

    Source: SCXML 3.11, legal state specifications.
    """
    found = tuple([_find(name, known) for name in text.split() or (text,)])
    for node in found:
        if inside is not None and inside not in node.ancestors:
            message = f"enters {node.id!r} by default, which is not one of its descendants"
            raise ValueError(message)
    for one, other in combinations(found, 2):
        if not _are_orthogonal(one, other):
            message = (
                f"{one.id!r} and {other.id!r} cannot be entered together; name states in"
                " different regions of one Parallel"
            )
            raise ValueError(message)
    return found


def check_default(history_node: HistoryNode) -> None:
    """Check the default target of a history state.

    Raises:
        ValueError: The target is wrong; the message describes the mistake.

    Source: SCXML 3.10.2, the children of `<history>`.
    """
    for node in history_node.target:
        if isinstance(node, HistoryNode):
            message = f"defaults to {node.id!r}, another history; use a state"
            raise ValueError(message)  # noqa: TRY004  one kind of error for a mistake in a chart
        if not history_node.is_deep and node not in history_node.ancestors[0].children:
            message = f"defaults to {node.id!r}, which is no child of its parent; make it deep"
            raise ValueError(message)


def _find(name: str, known: Mapping[str, Node]) -> Node:
    if name not in known:
        names = ", ".join(known) or "none"
        message = f"refers to unknown state {name!r}; there are: {names}"
        raise ValueError(message)
    return known[name]


def _are_orthogonal(one: Node, other: Node) -> bool:
    """Return whether two states are in different regions of a parallel state."""
    lines = [
        node.ancestors[::-1] if isinstance(node, HistoryNode) else (*node.ancestors[::-1], node)
        for node in (one, other)
    ]
    shared = [left for left, right in zip(*lines, strict=False) if left is right]
    return shared[-1].is_parallel and len(shared) < min(map(len, lines))
