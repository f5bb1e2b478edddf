"""From a chart's definition to its table, with every mistake in it named."""

from functools import lru_cache

from escapement.chart import Action, Chart, Content, Conversation, Final, Raise, State, Transition
from escapement.errors import ChartError
from escapement.event import Event, is_event_name, parse_descriptors
from escapement.table import Arc, Block, Node, Table, common_ancestor, descend, path


@lru_cache(maxsize=256)
def compile_chart(chart: Chart) -> Table:
    """Check a chart and compile it, once for each chart object.

    Raises:
        ChartError: The definition is wrong; the message names the chart and the state.
    """
    return _Compiler(chart).table()


class _Compiler:
    """One pass over the definition makes the nodes, a second one links them."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.root = Node("", 0, None)
        self.nodes: dict[str, Node] = {}
        self.states: list[tuple[Node, State]] = []
        self.conversations: set[str] = set()

    def table(self) -> Table:
        for child in self.chart.states:
            self._add(child, self.root)
        self.root.initial = self._descendant(self.chart.initial, self.root)
        for node, state in self.states:
            if node.children:
                initial = node.children[0].id if state.initial is None else state.initial
                node.initial = self._descendant(initial, node)
            elif state.initial is not None:
                raise self._wrong(node, f"has initial {state.initial!r} but no states")
        self._link()
        return Table(self.chart, self.root, self.nodes)

    def _add(self, definition: State | Final, parent: Node) -> None:
        if not isinstance(definition, State | Final):
            raise self._wrong(parent, f"{definition!r} is neither a State nor a Final")
        if not is_event_name(definition.id):  # it becomes a part of `done.state.ID`
            problem = f"{definition.id!r} is no state id; use tokens without blanks or '*'"
            raise self._wrong(parent, problem)
        if definition.id in self.nodes:
            raise self._wrong(parent, f"state id {definition.id!r} is used twice; rename one")
        node = Node(definition.id, len(self.nodes) + 1, parent)
        self.nodes[node.id] = node
        parent.children.append(node)
        if isinstance(definition, Final):
            node.is_final = True
            return
        self.states.append((node, definition))
        node.on_entry = self._block(node, definition.on_entry)
        node.on_exit = self._block(node, definition.on_exit)
        if definition.conversation is not None:
            self._converse(node, definition.conversation)
        for child in definition.states:
            self._add(child, node)

    def _converse(self, node: Node, conversation: Conversation) -> None:
        if not is_event_name(conversation.id):
            raise self._wrong(node, f"{conversation.id!r} is no conversation id")
        if conversation.id in self.conversations:
            raise self._wrong(node, f"conversation id {conversation.id!r} is used twice")
        self.conversations.add(conversation.id)
        for name in conversation.events:
            if not is_event_name(name):
                raise self._wrong(node, f"conversation offers {name!r}, which is no event name")
        node.conversation = conversation
        node.tools = {f"event__{name}": name for name in conversation.events}

    def _block(self, node: Node, contents: tuple[Content, ...]) -> Block:
        if not isinstance(contents, tuple):
            raise self._wrong(node, "executable content is a tuple; is a comma missing?")
        return tuple(self._content(node, content) for content in contents)

    def _content(self, node: Node, content: Content) -> Action | Event:
        if isinstance(content, Raise):
            if not is_event_name(content.event):
                raise self._wrong(node, f"raises {content.event!r}, which is no event name")
            return Event(content.event, content.data)
        if not callable(content):
            raise self._wrong(node, f"{content!r} is neither an action nor a Raise")
        return content

    def _link(self) -> None:
        arcs: dict[Node, list[Arc]] = {self.root: []}
        for node in self.nodes.values():
            arcs[node] = []
        for node, state in self.states:
            arcs[node] = [self._arc(node, transition) for transition in state.transitions]
        for node in self.nodes.values():
            if not node.children:
                own = [arc for state in (node, *node.ancestors) for arc in arcs[state]]
                node.eventless = tuple(arc for arc in own if not arc.descriptors)
                node.triggered = tuple(arc for arc in own if arc.descriptors)

    def _arc(self, source: Node, transition: Transition) -> Arc:
        arc = Arc(transition.guard, self._block(source, transition.actions))
        if transition.event is not None:
            try:
                arc.descriptors = parse_descriptors(transition.event)
            except ValueError as error:
                problem = f"{str(error)!r} is no event descriptor (`name`, `name.*` or `*`)"
                raise self._wrong(source, problem) from error
        if transition.target is not None:
            target = self._find(transition.target, source)
            inside = transition.internal and source in target.ancestors
            arc.domain = source if inside else common_ancestor(source, target)
            arc.entry = (*path(target, arc.domain)[:-1], *descend(target))
        elif transition.event is None and transition.guard is None:
            raise self._wrong(source, "a transition needs an event, a guard or a target")
        return arc

    def _descendant(self, state_id: str, node: Node) -> Node:
        found = self._find(state_id, node)
        if node not in found.ancestors:
            raise self._wrong(node, f"initial {state_id!r} is not one of its descendants")
        return found

    def _find(self, state_id: str, node: Node) -> Node:
        if state_id not in self.nodes:
            known = ", ".join(self.nodes) or "none"
            raise self._wrong(node, f"refers to unknown state {state_id!r}; there are: {known}")
        return self.nodes[state_id]

    def _wrong(self, node: Node, problem: str) -> ChartError:
        where = f", state {node.id!r}" if node.id else ""
        return ChartError(f"chart {self.chart.id!r}{where}: {problem}")
