"""What taking transitions means in a configuration: states, content and history, in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from operator import attrgetter

from escapement.event import Event
from escapement.machine.history import Recall, record
from escapement.machine.node import Arc, Block, Node, Past

document_order = attrgetter("order")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one microstep does.

    Attributes:
        left: The states to leave, in this order.
        entered: The states to enter, in this order.
        active: The configuration after it, in document order.
        blocks: The executable content, in order; an error ends a block and no other.
        records: What history states stand for from now on.
    """

    left: tuple[Node, ...]
    entered: tuple[Node, ...]
    active: tuple[Node, ...]
    blocks: tuple[Block, ...]
    records: Mapping[str, tuple[str, ...]]


def make_plan(enabled: tuple[Arc, ...], active: tuple[Node, ...], recall: Recall) -> Plan:
    """Work out what taking the enabled transitions does.

    Args:
        enabled: In order of selection; those that are preempted are not taken.
        active: The configuration, in document order.
        recall: The session's history; it is told of what is recorded here.

    Source: SCXML appendix D, microstep, exitStates and enterStates.
    """
    kept = without_conflicts(enabled, active, recall)
    leaving = frozenset[Node]().union(*kept.values())
    left = tuple([node for node in reversed(active) if node in leaving])
    records = record(left, active)
    recall.add(records)
    entry = EntrySet(kept, recall)
    entered = tuple(sorted(entry.states, key=document_order))
    staying = [node for node in active if node not in leaving]
    blocks = [node.on_exit for node in left]
    blocks += [arc.actions for arc in kept]
    now = set(staying)
    for node in entered:
        now.add(node)
        blocks += (node.on_entry, entry.defaults.get(node, ()), completions(node, now))
    return Plan(
        left,
        entered,
        tuple(sorted(now, key=document_order)),
        tuple([block for block in blocks if block]),
        records,
    )


def completions(node: Node, active: set[Node]) -> Block:
    """List the events that tell that a state's parents are done once it is entered.

    Source: SCXML 3.7 and appendix D, enterStates.
    """
    parent = node.ancestors[0]
    if not node.is_final or not parent.ancestors:
        return ()
    around = parent.ancestors[0]
    done = Event(f"done.state.{parent.id}")
    if around.is_parallel and is_complete(around, active):
        return (done, Event(f"done.state.{around.id}"))
    return (done,)


def is_complete(node: Node, active: set[Node]) -> bool:
    """Tell whether a state is in a final state.

    Source: SCXML appendix D, isInFinalState.
    """
    if node.is_parallel:
        return all(is_complete(child, active) for child in node.children)
    return any(child.is_final and child in active for child in node.children)


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
