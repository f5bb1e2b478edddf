"""Configurations, shared by the sessions of a chart, and the moves cached for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from escapement.event import matches
from escapement.machine.history import NO_HISTORY, HistoryLookup, StateHistory
from escapement.machine.microstep import Microstep, document_order, plan_microstep
from escapement.machine.node import Block, Node, TransitionArc

CONFIGURATIONS_MAX = 1_024  # cached for a chart; parallel regions multiply
NAMES_MAX = 64  # event names cached for a configuration
MOVES_MAX = 64  # cached for a configuration

Trail = tuple[tuple[str, Node], ...]  # ("exit" | "enter", state)
Candidates = tuple[tuple[TransitionArc, ...], ...]  # for each active atomic state, by priority


def format_trail(trail: Trail) -> list[str]:
    """Return the states left and entered as `-left` and `+entered`, in order."""
    return [("-" if what == "exit" else "+") + node.id for what, node in trail]


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a session in its chart.

    Attributes:
        configuration: The active states.
        history: History state -> the states that it stands for, by id; never changed.
    """

    configuration: "Configuration"
    history: StateHistory


class Move:
    """The result of taking certain transitions in a certain configuration.

    Attributes:
        configuration: The configuration afterwards.
        blocks: The executable content, in this order; an error ends only its own block.
        records: The history records that change.
        trail: The states left and entered, in this order.
        ended: The states left that have a conversation, in order.
        started: The states entered that have a conversation, in order.
    """

    __slots__ = ("blocks", "configuration", "ended", "records", "started", "trail")

    def __init__(self, microstep: Microstep, configuration: "Configuration") -> None:
        self.configuration = configuration
        self.blocks: tuple[Block, ...] = microstep.blocks
        self.records = microstep.records
        self.trail: Trail = (
            *[("exit", node) for node in microstep.left],
            *[("enter", node) for node in microstep.entered],
        )
        self.ended = tuple([node for node in microstep.left if node.conversation])
        self.started = tuple([node for node in microstep.entered if node.conversation])


class ConfigurationCache:
    """The configurations of a chart, one object each while there are few.

    Several threads may use it: one call adds an entry, and every thread would add the same.
    """

    __slots__ = ("_kept", "nodes")

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes
        self._kept: dict[tuple[Node, ...], Configuration] = {}

    def find(self, active: Iterable[Node]) -> "Configuration":
        """Return the configuration of these states."""
        key = tuple(sorted(active, key=document_order))
        found = self._kept.get(key)
        if found is not None:
            return found
        if len(self._kept) < CONFIGURATIONS_MAX:
            return self._kept.setdefault(key, Configuration(key, self, is_kept=True))
        return Configuration(key, self, is_kept=False)


class Configuration:
    """A set of active states, with the transitions and moves found in it so far.

    Attributes:
        nodes: The active states, in document order.
        ids: Their ids.
        is_final: True if a top-level final state is active.
        is_kept: True if the cache holds it, so that other cached objects may refer to it.
        eventless: The transitions to try without an event.
        named: Event name -> the transitions to try.
        moves: Enabled transitions -> their move.
        place: The place of a session without a history.
    """

    __slots__ = (
        "_cache",
        "eventless",
        "ids",
        "is_final",
        "is_kept",
        "moves",
        "named",
        "nodes",
        "place",
    )

    def __init__(
        self, nodes: tuple[Node, ...], cache: ConfigurationCache, *, is_kept: bool
    ) -> None:
        self._cache = cache
        self.nodes = nodes
        self.is_kept = is_kept
        self.ids = tuple([node.id for node in nodes])
        self.is_final = any(node.is_final and len(node.ancestors) == 1 for node in nodes)
        self.eventless = _select_candidates([node.eventless for node in nodes])
        self.named: dict[str, Candidates] = {}
        self.moves: dict[tuple[TransitionArc, ...], Move] = {}
        self.place = Place(self, NO_HISTORY)

    def find_candidates(self, name: str) -> Candidates:
        """Return the transitions to try for an event, and cache them."""
        found = _select_candidates(
            [
                tuple([arc for arc in node.triggered if matches(arc.descriptors, name)])
                for node in self.nodes
            ]
        )
        if len(self.named) < NAMES_MAX:
            return self.named.setdefault(name, found)
        return found

    def find_move(self, enabled: tuple[TransitionArc, ...], history: StateHistory) -> Move:
        """Return the result of transitions; cache it unless it depends on history.

        Args:
            enabled: In order of selection; preempted transitions are not taken.
            history: The session's history.
        """
        lookup = HistoryLookup(history, self._cache.nodes)
        microstep = plan_microstep(enabled, self.nodes, lookup)
        found = Move(microstep, self._cache.find(microstep.active))
        # A cached move to a configuration beyond the limit would keep that alive.
        lasting = self.is_kept and found.configuration.is_kept and not lookup.was_used
        if lasting and len(self.moves) < MOVES_MAX:
            return self.moves.setdefault(enabled, found)
        return found


def _select_candidates(arcs: Iterable[tuple[TransitionArc, ...]]) -> Candidates:
    """Drop states without transitions, and transitions after an unguarded one."""
    return tuple([_select_reachable(own) for own in arcs if own])


def _select_reachable(arcs: tuple[TransitionArc, ...]) -> tuple[TransitionArc, ...]:
    for index, arc in enumerate(arcs):
        if arc.guard is None:
            return arcs[: index + 1]
    return arcs
