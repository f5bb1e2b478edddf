"""Configurations, which the sessions of a chart share, and all that is remembered about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from escapement.event import takes
from escapement.machine.entry import Plan, document_order, make_plan
from escapement.machine.history import NO_HISTORY, History, Recall
from escapement.machine.node import Arc, Block, Node

CONFIGURATIONS_MAX = 1_024  # kept by a table; parallel regions multiply
NAMES_MAX = 64  # of events, kept by a configuration
MOVES_MAX = 64  # kept by a configuration

Trail = tuple[tuple[str, Node], ...]  # ("exit" | "enter", state)
Candidates = tuple[tuple[Arc, ...], ...]  # of each active atomic state, the first one goes first


def signed(trail: Trail) -> list[str]:
    """Show what was left and entered in one list, in this order: `-left`, `+entered`."""
    return [("-" if what == "exit" else "+") + node.id for what, node in trail]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is in its chart.

    Attributes:
        configuration: The active states.
        history: The ids of the states that each history state stands for, by its id; never
            changed.
    """

    configuration: "Configuration"
    history: History


class Move:
    """What taking certain transitions in a certain configuration comes to.

    Attributes:
        configuration: The one after it.
        blocks: The executable content, in order; an error ends a block and no other.
        records: What history states stand for from now on.
        entered: The states that are entered, in order.
        trail: What is left and entered, in this order.
        ended: States that are left and converse, in order.
        started: States that are entered and converse, in order.
    """

    __slots__ = ("blocks", "configuration", "ended", "entered", "records", "started", "trail")

    def __init__(self, plan: Plan, configuration: "Configuration") -> None:
        self.configuration = configuration
        self.blocks: tuple[Block, ...] = plan.blocks
        self.records = plan.records
        self.entered = plan.entered
        self.trail: Trail = (
            *[("exit", node) for node in plan.left],
            *[("enter", node) for node in plan.entered],
        )
        self.ended = tuple([node for node in plan.left if node.conversation])
        self.started = tuple([node for node in plan.entered if node.conversation])


class Space:
    """The configurations of a chart, each of which is there once as long as there are few.

    Several threads may use it: each entry is put in by one call, and does not depend on who did.
    """

    __slots__ = ("_kept", "nodes")

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._kept: dict[tuple[Node, ...], Configuration] = {}

    def configuration(self, active: Iterable[Node]) -> "Configuration":
        """Return the configuration of these states."""
        key = tuple(sorted(active, key=document_order))
        found = self._kept.get(key)
        if found is not None:
            return found
        if len(self._kept) < CONFIGURATIONS_MAX:
            return self._kept.setdefault(key, Configuration(key, self, is_kept=True))
        return Configuration(key, self, is_kept=False)


class Configuration:
    """A set of active states, and what events and transitions come to in it.

    Attributes:
        nodes: The active states, in document order.
        ids: Their ids.
        is_final: A top-level final state is active.
        is_kept: It may be referred to for as long as the table lives.
        eventless: The transitions to try without an event.
        named: The transitions to try for an event, by its name.
        moves: What enabled transitions come to.
        place: Where a session without a history is.
    """

    __slots__ = (
        "_space",
        "eventless",
        "ids",
        "is_final",
        "is_kept",
        "moves",
        "named",
        "nodes",
        "place",
    )

    def __init__(self, nodes: tuple[Node, ...], space: Space, *, is_kept: bool) -> None:
        self._space = space
        self.nodes = nodes
        self.is_kept = is_kept
        self.ids = tuple([node.id for node in nodes])
        self.is_final = any(node.is_final and len(node.ancestors) == 1 for node in nodes)
        self.eventless = _candidates([node.eventless for node in nodes])
        self.named: dict[str, Candidates] = {}
        self.moves: dict[tuple[Arc, ...], Move] = {}
        self.place = Place(self, NO_HISTORY)

    def candidates(self, name: str) -> Candidates:
        """Find the transitions to try for an event, and remember them."""
        found = _candidates(
            [
                tuple([arc for arc in node.triggered if takes(arc.descriptors, name)])
                for node in self.nodes
            ]
        )
        if len(self.named) < NAMES_MAX:
            return self.named.setdefault(name, found)
        return found

    def move(self, enabled: tuple[Arc, ...], history: History) -> Move:
        """Find what taking transitions comes to, and remember it unless it depends on history.

        Args:
            enabled: The transitions, in order of selection; those preempted are not taken.
            history: The session's.
        """
        recall = Recall(history, self._space.nodes)
        plan = make_plan(enabled, self.nodes, recall)
        found = Move(plan, self._space.configuration(plan.active))
        # What is not kept would live on in what is: a chart without bounds would fill the memory.
        lasting = self.is_kept and found.configuration.is_kept and not recall.asked
        if lasting and len(self.moves) < MOVES_MAX:
            return self.moves.setdefault(enabled, found)
        return found


def _candidates(arcs: Iterable[tuple[Arc, ...]]) -> Candidates:
    """Drop what can't be reached: states without transitions, and those after one without guard."""
    return tuple([_reachable(own) for own in arcs if own])


def _reachable(arcs: tuple[Arc, ...]) -> tuple[Arc, ...]:
    for index, arc in enumerate(arcs):
        if arc.guard is None:
            return arcs[: index + 1]
    return arcs
