"""The compiled form of a chart: every question that the chart alone decides, answered once."""

from collections.abc import Iterable, Mapping

from escapement.chart import Chart
from escapement.machine.configuration import Place, Space
from escapement.machine.entry import document_order
from escapement.machine.history import NO_HISTORY, is_legal, is_memory
from escapement.machine.node import Arc, Node, Past


class Table:
    """All that the sessions of one chart share.

    Attributes:
        chart: The definition.
        nodes: The states by id, in document order; without history states.
        pasts: The history states by id.
        nowhere: Where a session is before it starts.
        start: What entering the chart comes to.
    """

    __slots__ = ("_root", "_space", "chart", "nodes", "nowhere", "pasts", "start")

    def __init__(
        self, chart: Chart, root: Node, nodes: dict[str, Node], pasts: dict[str, Past]
    ) -> None:
        self.chart = chart
        self.nodes = nodes
        self.pasts = pasts
        self._root = root
        self._space = Space(nodes)
        nowhere = self._space.configuration(())
        self.nowhere = nowhere.place
        self.start = nowhere.move((Arc(root, root.initial, is_internal=True),), NO_HISTORY)

    @property
    def entry(self) -> tuple[Node, ...]:
        """The states that a session enters first, in this order."""
        return self.start.entered

    def place(
        self, state_ids: Iterable[str], history: Mapping[str, Iterable[str]]
    ) -> Place | None:
        """Find the place of a stored session, or none if it isn't one of this chart.

        Args:
            state_ids: The active states, in any order.
            history: What each history state stands for.

        Source: SCXML 3.11, legal state configurations; 3.10 for what is in a history.
        """
        active = self._find(state_ids)
        if active is None or not is_legal(self._root, active):
            return None
        memory = {}
        for past_id, kept_ids in history.items():
            past, kept = self.pasts.get(past_id), self._find(kept_ids)
            if past is None or kept is None or not is_memory(past, kept):
                return None
            memory[past_id] = tuple([node.id for node in sorted(kept, key=document_order)])
        configuration = self._space.configuration(active)
        return Place(configuration, memory) if memory else configuration.place

    def _find(self, state_ids: Iterable[str]) -> set[Node] | None:
        found = [self.nodes.get(name) for name in state_ids]
        known = {node for node in found if node is not None}
        return None if None in found else known
