"""The effects of a microstep, in order: exits, content, entries, history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from operator import attrgetter

from escapement.event import Event
from escapement.machine.history import HistoryLookup, record_history
from escapement.machine.node import Block, HistoryNode, Node, TransitionArc

document_order = attrgetter("order")


@dataclass(frozen=True, slots=True)
class Microstep:
    """The effects of taking transitions.

    Attributes:
        left: The states to leave, in this order.
        entered: The states to enter, in this order.
        active: The configuration afterwards, in document order.
        blocks: The executable content, in this order; an error ends only its own block.
        records: The history records that change.
    """

    left: tuple[Node, ...]
    entered: tuple[Node, ...]
    active: tuple[Node, ...]
    blocks: tuple[Block, ...]
    records: Mapping[str, tuple[str, ...]]


def plan_microstep(
    enabled: tuple[TransitionArc, ...], active: tuple[Node, ...], lookup: HistoryLookup
) -> Microstep:
    """Compute the effects of the enabled transitions.

    Args:
        enabled: In order of selection; preempted transitions are not taken.
        active: The configuration, in document order.
        lookup: The session's history; the records of this microstep are added to it.

    Source: SCXML appendix D, microstep, exitStates and enterStates.
    """
    kept = remove_conflicts(enabled, active, lookup)
    leaving = frozenset[Node]().union(*kept.values())
    left = tuple([node for node in reversed(active) if node in leaving])
    records = record_history(left, active)
    lookup.add(records)
    entry = EntrySet(kept, lookup)
    entered = tuple(sorted(entry.states, key=document_order))
    staying = [node for node in active if node not in leaving]
    blocks = [node.on_exit for node in left]
    blocks += [arc.actions for arc in kept]
    now = set(staying)
    for node in entered:
        now.add(node)
        blocks += (node.on_entry, entry.defaults.get(node, ()), make_done_events(node, now))
    return Microstep(
        left,
        entered,
        tuple(sorted(now, key=document_order)),
        tuple([block for block in blocks if block]),
        records,
    )


def make_done_events(node: Node, active: set[Node]) -> Block:
    """Return the `done.state` events of the ancestors that an entered state completes.

    Source: SCXML 3.7 and appendix D, enterStates.
    """
    parent = node.ancestors[0]
    if not node.is_final or not parent.ancestors:
        return ()
    around = parent.ancestors[0]
    done = Event(f"done.state.{parent.id}")
    if around.is_parallel and is_in_final_state(around, active):
        return (done, Event(f"done.state.{around.id}"))
    return (done,)


def is_in_final_state(node: Node, active: set[Node]) -> bool:
    """Return whether a state is in a final state.

    Source: SCXML appendix D, isInFinalState.
    """
    if node.is_parallel:
        return all(is_in_final_state(child, active) for child in node.children)
    return any(child.is_final and child in active for child in node.children)


def find_effective_targets(targets: Iterable[Node], lookup: HistoryLookup) -> tuple[Node, ...]:
    """Replace history states by the states that they stand for.

    Source: SCXML appendix D, getEffectiveTargetStates.
    """
    found: list[Node] = []
    for node in targets:
        if isinstance(node, HistoryNode):
            found += lookup.find(node) or node.target
        else:
            found.append(node)
    return tuple(found)


def find_domain(arc: TransitionArc, lookup: HistoryLookup) -> Node | None:
    """Return the state whose descendants a transition leaves and enters.

    Returns:
        None for a targetless transition.

    Source: SCXML appendix D, getTransitionDomain and findLCCA.
    """
    targets = find_effective_targets(arc.targets, lookup)
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


def find_exit_set(
    arc: TransitionArc, active: Iterable[Node], lookup: HistoryLookup
) -> frozenset[Node]:
    """Return the active states that a transition leaves.

    Source: SCXML appendix D, computeExitSet.
    """
    domain = find_domain(arc, lookup)
    return frozenset([node for node in active if domain in node.ancestors])


def remove_conflicts(
    enabled: Iterable[TransitionArc], active: tuple[Node, ...], lookup: HistoryLookup
) -> dict[TransitionArc, frozenset[Node]]:
    """Remove preempted transitions; return the others with their exit sets.

    Source: SCXML appendix D, removeConflictingTransitions.
    """
    kept: dict[TransitionArc, frozenset[Node]] = {}
    for arc in enabled:
        leaves = find_exit_set(arc, active, lookup)
        rivals = [other for other, left in kept.items() if not left.isdisjoint(leaves)]
        if all(rival.source in arc.source.ancestors for rival in rivals):
            for rival in rivals:
                del kept[rival]
            kept[arc] = leaves
    return kept


class EntrySet:
    """The states that transitions enter.

    The states of a history record may have ancestors that stay active. Appendix D adds all
    ancestors up to the parent of the history state, and would enter those again. 3.13 allows to
    enter only states that are inactive or left, so ancestors are added up to the domain.

    Attributes:
        states: In no order.
        defaults: State -> the content of its history state, if that enters its default.

    Source: SCXML appendix D, computeEntrySet; 3.13, entry set.
    """

    __slots__ = ("_domain", "_lookup", "defaults", "states")

    def __init__(self, arcs: Iterable[TransitionArc], lookup: HistoryLookup) -> None:
        self._lookup = lookup
        self.states: set[Node] = set()
        self.defaults: dict[Node, Block] = {}
        for arc in arcs:
            self._domain = find_domain(arc, lookup)
            for node in arc.targets:
                self._add_descendants(node)
            for node in find_effective_targets(arc.targets, lookup):
                self._add_ancestors(node, self._domain)

    def _add_descendants(self, node: Node) -> None:
        """Add a state and the descendants that are entered with it.

        Source: SCXML appendix D, addDescendantStatesToEnter.
        """
        if isinstance(node, HistoryNode):
            self._add_history(node)
            return
        self.states.add(node)
        if node.is_parallel:
            self._add_regions(node)
        else:
            self._add_targets(node.initial, node)

    def _add_history(self, history_node: HistoryNode) -> None:
        targets = self._lookup.find(history_node)
        parent = history_node.ancestors[0]
        if not targets:
            self.defaults[parent] = history_node.actions
            targets = history_node.target
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
