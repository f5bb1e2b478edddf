"""The targets that a chart names: found, and checked to be enterable together."""

from collections.abc import Mapping
from itertools import combinations

from escapement.machine.node import Node, Past


def find_targets(
    text: str, known: Mapping[str, Node], *, inside: Node | None = None
) -> tuple[Node, ...]:
    """Find the states that a target or an initial names.

    Args:
        text: Ids with blanks between them.
        known: All states, with history states, by id.
        inside: The states must be descendants of this one.

    Raises:
        ValueError: They are wrong; the text says what.

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
                f"{one.id!r} and {other.id!r} can't be entered together; name states in"
                " different regions of one Parallel"
            )
            raise ValueError(message)
    return found


def check_default(past: Past) -> None:
    """Check what a history state stands for by default.

    Raises:
        ValueError: It is wrong; the text says what.

    Source: SCXML 3.10.2, the children of `<history>`.
    """
    for node in past.target:
        if isinstance(node, Past):
            message = f"defaults to {node.id!r}, another history; name a state"
            raise ValueError(message)  # noqa: TRY004  one kind of error for a mistake in a chart
        if not past.is_deep and node not in past.ancestors[0].children:
            message = f"defaults to {node.id!r}, which is no child of its parent; make it deep"
            raise ValueError(message)


def _find(name: str, known: Mapping[str, Node]) -> Node:
    if name not in known:
        names = ", ".join(known) or "none"
        message = f"refers to unknown state {name!r}; there are: {names}"
        raise ValueError(message)
    return known[name]


def _are_orthogonal(one: Node, other: Node) -> bool:
    """Tell whether the innermost state around two, which is neither of them, is parallel."""
    lines = [
        node.ancestors[::-1] if isinstance(node, Past) else (*node.ancestors[::-1], node)
        for node in (one, other)
    ]
    shared = [left for left, right in zip(*lines, strict=False) if left is right]
    return shared[-1].is_parallel and len(shared) < min(map(len, lines))
