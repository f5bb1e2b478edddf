"""What taking transitions means in a configuration: states, content and history, in order."""

from collections.abc import Mapping
from dataclasses import dataclass

from escapement.entry import EntrySet, document_order, without_conflicts
from escapement.event import Event
from escapement.node import Arc, Block, Node
from escapement.recall import Recall, record


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
