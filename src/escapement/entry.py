"""Which states a transition leaves and enters, by the algorithm of the Recommendation."""

from collections.abc import Iterable
from itertools import takewhile
from operator import attrgetter

from escapement.node import Arc, Block, Node, Past
from escapement.recall import Recall

document_order = attrgetter("order")


def effective_targets(targets: Iterable[Node], recall: Recall) -> tuple[Node, ...]:
    """Replace history states by what they stand for.

    Source: SCXML appendix D, getEffectiveTargetStates.
    """
    found: list[Node] = []
    for node in targets:
        if isinstance(node, Past):
            found += recall.states(node) or node.target
        else:
            found.append(node)
    return tuple(found)


def domain_of(arc: Arc, recall: Recall) -> Node | None:
    """Find the state whose descendants a transition leaves and enters; none for a targetless one.

    Source: SCXML appendix D, getTransitionDomain and findLCCA.
    """
    targets = effective_targets(arc.targets, recall)
    if not targets:
        return None
    source = arc.source
    around = source.ancestors
    if arc.is_internal and source.is_compound:
        around = (source, *around)
    return next(
        node
        for node in around
        if node.is_compound and all(node in target.ancestors for target in targets)
    )


def exit_set(arc: Arc, active: Iterable[Node], recall: Recall) -> frozenset[Node]:
    """Find the active states that a transition leaves.

    Source: SCXML appendix D, computeExitSet.
    """
    domain = domain_of(arc, recall)
    return frozenset([node for node in active if domain in node.ancestors])


def without_conflicts(
    enabled: Iterable[Arc], active: tuple[Node, ...], recall: Recall
) -> dict[Arc, frozenset[Node]]:
    """Drop transitions that are preempted by others; return the rest with their exit sets.

    Source: SCXML appendix D, removeConflictingTransitions.
    """
    kept: dict[Arc, frozenset[Node]] = {}
    for arc in enabled:
        leaves = exit_set(arc, active, recall)
        rivals = [other for other, left in kept.items() if not left.isdisjoint(leaves)]
        if all(rival.source in arc.source.ancestors for rival in rivals):
            for rival in rivals:
                del kept[rival]
            kept[arc] = leaves
    return kept


class EntrySet:
    """The states that transitions enter.

    A history state may stand for states whose ancestors are active and stay so. Appendix D adds
    all of them up to the history's parent, which would enter active states again; by 3.13 only
    what is not active or is left can be entered, so that what is added ends at the domain.

    Attributes:
        states: In no order.
        defaults: The content to run in a state whose history state stands for its default.

    Source: SCXML appendix D, computeEntrySet; 3.13, entry set.
    """

    __slots__ = ("_domain", "_recall", "defaults", "states")

    def __init__(self, arcs: Iterable[Arc], recall: Recall) -> None:
        self._recall = recall
        self.states: set[Node] = set()
        self.defaults: dict[Node, Block] = {}
        for arc in arcs:
            self._domain = domain_of(arc, recall)
            for node in arc.targets:
                self._add_descendants(node)
            for node in effective_targets(arc.targets, recall):
                self._add_ancestors(node, self._domain)

    def _add_descendants(self, node: Node) -> None:
        """Add a state and what is entered in it.

        Source: SCXML appendix D, addDescendantStatesToEnter.
        """
        if isinstance(node, Past):
            self._add_past(node)
            return
        self.states.add(node)
        if node.is_parallel:
            self._add_regions(node)
        else:
            self._add_targets(node.initial, node)

    def _add_past(self, past: Past) -> None:
        targets = self._recall.states(past)
        parent = past.ancestors[0]
        if not targets:
            self.defaults[parent] = past.actions
            targets = past.target
        self._add_targets(targets, parent)

    def _add_targets(self, targets: tuple[Node, ...], within: Node) -> None:
        for target in targets:
            self._add_descendants(target)
        for target in targets:
            self._add_ancestors(target, within)

    def _add_regions(self, node: Node) -> None:
        for child in node.children:
            if not any(child in entered.ancestors for entered in self.states):
                self._add_descendants(child)

    def _add_ancestors(self, node: Node, within: Node | None) -> None:
        """Add the states between a state and one around it, with their regions.

        Source: SCXML appendix D, addAncestorStatesToEnter.
        """
        ends = (within, self._domain)
        for ancestor in takewhile(lambda one: one not in ends, node.ancestors):
            self.states.add(ancestor)
            if ancestor.is_parallel:
                self._add_regions(ancestor)
