"""Compiles a chart's definition into its table, and names any mistake in it."""

from functools import lru_cache
from typing import NoReturn

from escapement.chart import Chart, Conversation, Final, History, Parallel, State, Transition
from escapement.compiler.content import check_conversation, compile_block, compile_descriptors
from escapement.compiler.targets import check_default, find_targets
from escapement.errors import ChartError
from escapement.event import is_event_name
from escapement.machine.node import HistoryNode, Node, TransitionArc
from escapement.machine.table import ChartTable

Definition = State | Parallel | Final | History


@lru_cache(maxsize=256)
def compile_chart(chart: Chart) -> ChartTable:
    """Check and compile a chart, once for each chart object.

    Raises:
        ChartError: The definition is wrong; the message names the chart and the state.
    """
    compiler = _Compiler()
    try:
        return compiler.compile(chart)
    except ValueError as error:
        where = f", state {compiler.at.id!r}" if compiler.at.id else ""
        message = f"chart {chart.id!r}{where}: {error}"
        raise ChartError(message) from error


class _Compiler:
    """Makes the nodes in a first pass over the definition, and links them in a second.

    Attributes:
        at: The state under compilation, for messages.
    """

    def __init__(self) -> None:
        self.root = Node("", 0, None)
        self.at = self.root
        self.known: dict[str, Node] = {}  # with history states
        self.states: list[tuple[Node, State | Parallel]] = []
        self.histories: list[tuple[HistoryNode, History]] = []
        self.conversations: set[str] = set()

    def compile(self, chart: Chart) -> ChartTable:
        for child in chart.states:
            self._add(child, self.root)
        self.at = self.root
        self.root.initial = find_targets(chart.initial, self.known, inside=self.root)
        for history_node, history in self.histories:
            self._link_history(history_node, history)
        for node, state in self.states:
            if isinstance(state, State):
                self._link_initial(node, state)
        self._link_transitions()
        history_nodes = {node.id: node for node, _ in self.histories}
        nodes = {name: node for name, node in self.known.items() if name not in history_nodes}
        return ChartTable(chart, self.root, nodes, history_nodes)

    def _add(self, definition: Definition, parent: Node) -> None:
        self.at = parent
        if not isinstance(definition, Definition):
            self._fail(f"{definition!r} is neither a State, a Parallel, a Final nor a History")
        if not is_event_name(definition.id):  # it becomes a part of `done.state.ID`
            self._fail(f"{definition.id!r} is no state id; use tokens without blanks or '*'")
        if definition.id in self.known:
            self._fail(f"state id {definition.id!r} is used twice; rename one")
        if isinstance(definition, History):
            self._add_history(definition, parent)
        else:
            self._add_node(definition, parent)

    def _add_history(self, history: History, parent: Node) -> None:
        if parent is self.root:
            self._fail(f"history {history.id!r} is outside any state; move it into one")
        node = HistoryNode(history.id, len(self.known) + 1, parent, is_deep=history.deep)
        self.known[node.id] = node
        parent.history_nodes.append(node)
        self.histories.append((node, history))

    def _add_node(self, definition: State | Parallel | Final, parent: Node) -> None:
        node = Node(definition.id, len(self.known) + 1, parent)
        self.known[node.id] = node
        parent.children.append(node)
        if isinstance(definition, Final):
            if parent.is_parallel:
                self._fail(f"region {node.id!r} is a Final; put it into a State")
            node.is_final = True
            return
        self.at = node
        self.states.append((node, definition))
        node.is_parallel = isinstance(definition, Parallel)
        node.on_entry = compile_block(definition.on_entry)
        node.on_exit = compile_block(definition.on_exit)
        if definition.conversation is not None:
            self._add_conversation(node, definition.conversation)
        for child in definition.states:
            self._add(child, node)
        self.at = node
        if not node.children and (node.is_parallel or node.history_nodes):
            self._fail("has no states; a Parallel, or a State with a History, needs some")

    def _add_conversation(self, node: Node, conversation: Conversation) -> None:
        check_conversation(conversation)
        if conversation.id in self.conversations:
            self._fail(f"conversation id {conversation.id!r} is used twice; rename one")
        self.conversations.add(conversation.id)
        node.conversation = conversation
        node.tools = {f"event__{name}": name for name in conversation.events}

    def _link_history(self, node: HistoryNode, history: History) -> None:
        self.at = node
        node.actions = compile_block(history.actions)
        node.target = find_targets(history.target, self.known, inside=node.ancestors[0])
        check_default(node)

    def _link_initial(self, node: Node, state: State) -> None:
        self.at = node
        if state.initial is not None:
            if not node.children:
                self._fail(f"has initial {state.initial!r} but no states")
            node.initial = find_targets(state.initial, self.known, inside=node)
        elif node.children:
            node.initial = (node.children[0],)

    def _link_transitions(self) -> None:
        arcs: dict[Node, list[TransitionArc]] = {}
        for node, state in self.states:
            self.at = node
            arcs[node] = [self._make_arc(node, transition) for transition in state.transitions]
        for node in self.known.values():
            if not node.children:
                own = [arc for state in (node, *node.ancestors) for arc in arcs.get(state, ())]
                node.eventless = tuple([arc for arc in own if not arc.descriptors])
                node.triggered = tuple([arc for arc in own if arc.descriptors])

    def _make_arc(self, source: Node, transition: Transition) -> TransitionArc:
        targets: tuple[Node, ...] = ()
        if transition.target is not None:
            targets = find_targets(transition.target, self.known)
        elif transition.event is None and transition.guard is None:
            self._fail("a transition needs an event, a guard or a target")
        arc = TransitionArc(source, targets, is_internal=transition.internal)
        arc.guard = transition.guard
        arc.actions = compile_block(transition.actions)
        arc.descriptors = compile_descriptors(transition.event)
        return arc

    def _fail(self, problem: str) -> NoReturn:
        raise ValueError(problem)
