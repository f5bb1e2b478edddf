"""From a chart's definition to its table, with every mistake in it named."""

from functools import lru_cache
from typing import NoReturn

from escapement.chart import Chart, Conversation, Final, History, Parallel, State, Transition
from escapement.compiler.content import check_conversation, compile_block, compile_descriptors
from escapement.compiler.targets import check_default, find_targets
from escapement.errors import ChartError
from escapement.event import is_event_name
from escapement.machine.node import Arc, Node, Past
from escapement.machine.table import Table

Definition = State | Parallel | Final | History


@lru_cache(maxsize=256)
def compile_chart(chart: Chart) -> Table:
    """Check a chart and compile it, once for each chart object.

    Raises:
        ChartError: The definition is wrong; the message names the chart and the state.
    """
    compiler = _Compiler()
    try:
        return compiler.table(chart)
    except ValueError as error:
        where = f", state {compiler.at.id!r}" if compiler.at.id else ""
        message = f"chart {chart.id!r}{where}: {error}"
        raise ChartError(message) from error


class _Compiler:
    """One pass over the definition makes the nodes, a second one links them.

    Attributes:
        at: The state whose definition is being read, for messages.
    """

    def __init__(self) -> None:
        self.root = Node("", 0, None)
        self.at = self.root
        self.known: dict[str, Node] = {}  # with history states
        self.states: list[tuple[Node, State | Parallel]] = []
        self.pasts: list[tuple[Past, History]] = []
        self.conversations: set[str] = set()

    def table(self, chart: Chart) -> Table:
        for child in chart.states:
            self._add(child, self.root)
        self.at = self.root
        self.root.initial = find_targets(chart.initial, self.known, inside=self.root)
        for past, definition in self.pasts:
            self._link_past(past, definition)
        for node, state in self.states:
            if isinstance(state, State):
                self._link_initial(node, state)
        self._link_arcs()
        pasts = {past.id: past for past, _ in self.pasts}
        nodes = {name: node for name, node in self.known.items() if name not in pasts}
        return Table(chart, self.root, nodes, pasts)

    def _add(self, definition: Definition, parent: Node) -> None:
        self.at = parent
        if not isinstance(definition, Definition):
            self._wrong(f"{definition!r} is neither a State, a Parallel, a Final nor a History")
        if not is_event_name(definition.id):  # it becomes a part of `done.state.ID`
            self._wrong(f"{definition.id!r} is no state id; use tokens without blanks or '*'")
        if definition.id in self.known:
            self._wrong(f"state id {definition.id!r} is used twice; rename one")
        if isinstance(definition, History):
            self._add_past(definition, parent)
        else:
            self._add_node(definition, parent)

    def _add_past(self, definition: History, parent: Node) -> None:
        if parent is self.root:
            self._wrong(f"history {definition.id!r} is of no state; put it into one")
        past = Past(definition.id, len(self.known) + 1, parent, is_deep=definition.deep)
        self.known[past.id] = past
        parent.pasts.append(past)
        self.pasts.append((past, definition))

    def _add_node(self, definition: State | Parallel | Final, parent: Node) -> None:
        node = Node(definition.id, len(self.known) + 1, parent)
        self.known[node.id] = node
        parent.children.append(node)
        if isinstance(definition, Final):
            if parent.is_parallel:
                self._wrong(f"region {node.id!r} is a Final; put it into a State")
            node.is_final = True
            return
        self.at = node
        self.states.append((node, definition))
        node.is_parallel = isinstance(definition, Parallel)
        node.on_entry = compile_block(definition.on_entry)
        node.on_exit = compile_block(definition.on_exit)
        if definition.conversation is not None:
            self._converse(node, definition.conversation)
        for child in definition.states:
            self._add(child, node)
        self.at = node
        if not node.children and (node.is_parallel or node.pasts):
            self._wrong("has no states, and a Parallel or a History needs some")

    def _converse(self, node: Node, conversation: Conversation) -> None:
        check_conversation(conversation)
        if conversation.id in self.conversations:
            self._wrong(f"conversation id {conversation.id!r} is used twice")
        self.conversations.add(conversation.id)
        node.conversation = conversation
        node.tools = {f"event__{name}": name for name in conversation.events}

    def _link_past(self, past: Past, definition: History) -> None:
        self.at = past
        past.actions = compile_block(definition.actions)
        past.target = find_targets(definition.target, self.known, inside=past.ancestors[0])
        check_default(past)

    def _link_initial(self, node: Node, state: State) -> None:
        self.at = node
        if state.initial is not None:
            if not node.children:
                self._wrong(f"has initial {state.initial!r} but no states")
            node.initial = find_targets(state.initial, self.known, inside=node)
        elif node.children:
            node.initial = (node.children[0],)

    def _link_arcs(self) -> None:
        arcs: dict[Node, list[Arc]] = {}
        for node, state in self.states:
            self.at = node
            arcs[node] = [self._arc(node, transition) for transition in state.transitions]
        for node in self.known.values():
            if not node.children:
                own = [arc for state in (node, *node.ancestors) for arc in arcs.get(state, ())]
                node.eventless = tuple([arc for arc in own if not arc.descriptors])
                node.triggered = tuple([arc for arc in own if arc.descriptors])

    def _arc(self, source: Node, transition: Transition) -> Arc:
        targets: tuple[Node, ...] = ()
        if transition.target is not None:
            targets = find_targets(transition.target, self.known)
        elif transition.event is None and transition.guard is None:
            self._wrong("a transition needs an event, a guard or a target")
        arc = Arc(source, targets, is_internal=transition.internal)
        arc.guard = transition.guard
        arc.actions = compile_block(transition.actions)
        arc.descriptors = compile_descriptors(transition.event)
        return arc

    def _wrong(self, problem: str) -> NoReturn:
        raise ValueError(problem)
