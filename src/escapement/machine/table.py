"""The compiled form of a chart."""

from collections.abc import Iterable, Mapping

from escapement.chart import Chart
from escapement.machine.configuration import ConfigurationCache, Place
from escapement.machine.history import NO_HISTORY, is_legal_configuration, is_legal_record
from escapement.machine.microstep import document_order
from escapement.machine.node import HistoryNode, Node, TransitionArc


class ChartTable:
    """A compiled chart, shared by all its sessions.

    Attributes:
        chart: The definition.
        nodes: The states by id, in document order; without history states.
        history_nodes: The history states by id.
        outside: The place of a session that has not started.
        start: The move that enters the chart.
    """

    __slots__ = ("_cache", "_root", "chart", "history_nodes", "nodes", "outside", "start")

    def __init__(
        self,
        chart: Chart,
        root: Node,
        nodes: dict[str, Node],
        history_nodes: dict[str, HistoryNode],
    ) -> None:
        self.chart = chart
        self.nodes = nodes
        self.history_nodes = history_nodes
        self._root = root
        self._cache = ConfigurationCache(nodes)
        empty = self._cache.find(())
        self.outside = empty.place
        enter = TransitionArc(root, root.initial, is_internal=True)
        self.start = empty.find_move((enter,), NO_HISTORY)

    def find_place(
        self, state_ids: Iterable[str], history: Mapping[str, Iterable[str]]
    ) -> Place | None:
        """Return the place of a stored session; None if this chart has no such place.

        Args:
            state_ids: The active states, in any order.
            history: History state -> the states that it stands for.

        Source: SCXML 3.11, legal state configurations; 3.10, history.
        """
        active = self._find_nodes(state_ids)
        if active is None or not is_legal_configuration(self._root, active):
            return None
        records = {}
        for name, kept_ids in history.items():
            history_node, kept = self.history_nodes.get(name), self._find_nodes(kept_ids)
            if history_node is None or kept is None or not is_legal_record(history_node, kept):
                return None
            records[name] = tuple([node.id for node in sorted(kept, key=document_order)])
        configuration = self._cache.find(active)
        return Place(configuration, records) if records else configuration.place

    def _find_nodes(self, state_ids: Iterable[str]) -> set[Node] | None:
        found = [self.nodes.get(name) for name in state_ids]
        known = {node for node in found if node is not None}
        return None if None in found else known
