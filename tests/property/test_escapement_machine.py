"""What holds for every chart and every sequence of events."""

from hypothesis import given, settings, strategies as st

from escapement import Chart, Conversation, Final, State, Transition
from escapement.compiler import compile_chart
from escapement.event import Event
from escapement.machine import Step, begin, step
from escapement.node import Node

EVENTS = ("go", "go.on", "stop", "done.state.s0")

# The shape of a chart: each state's parent is one of those before it, or the chart itself.
shapes = st.lists(st.integers(min_value=-1, max_value=7), min_size=1, max_size=8)
arcs = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(EVENTS), st.integers(-1, 7), st.booleans()),
    max_size=12,
)


def make_chart(
    parents: list[int], transitions: list[tuple[int, str, int, bool]], finals: set[int]
) -> Chart:
    """Make a chart in which every state converses, from a list of parents."""
    size = len(parents)
    above = [min(parent, index - 1) for index, parent in enumerate(parents)]

    def make(index: int) -> State | Final:
        children = tuple(make(other) for other in range(size) if above[other] == index)
        if not children and index in finals:
            return Final(f"s{index}")
        own = tuple(
            Transition(event, None if target < 0 else f"s{target % size}", internal=internal)
            for source, event, target, internal in transitions
            if source % size == index
        )
        talk = Conversation(f"c{index}", lambda _: "")
        return State(f"s{index}", states=children, transitions=own, conversation=talk)

    top = tuple(make(index) for index in range(size) if above[index] < 0)
    return Chart("any", top[0].id, top)


def replay(active: set[Node], result: Step) -> set[Node]:
    """Apply what a step says that it left and entered, checking that each could be."""
    for what, node in result.trail:
        if what == "exit":
            assert node in active
            assert active.isdisjoint(node.children)
            active = active - {node}
        else:
            assert node not in active
            assert set(node.ancestors[:-1]) <= active
            active = active | {node}
    return active


@settings(deadline=None)
@given(
    parents=shapes,
    transitions=arcs,
    finals=st.sets(st.integers(0, 7)),
    names=st.lists(st.sampled_from(("go", "go.on", "go.on.now", "stop", "other")), max_size=12),
)
def test_steps_keep_the_configuration_legal_and_tell_all_that_happened(
    parents: list[int],
    transitions: list[tuple[int, str, int, bool]],
    finals: set[int],
    names: list[str],
) -> None:
    """Configurations are legal (SCXML 3.11), and effects account for every change of them."""
    # A completed state that is entered anew by its own completion would go round for ever.
    looping = {"done.state.s0"} if finals else set()
    kept = [arc for arc in transitions if arc[1] not in looping]
    table = compile_chart(make_chart(parents, kept, finals))
    result = begin(table, {})
    active: set[Node] = set()
    talking: set[Node] = set()
    for name in (*names, None):
        active = replay(active, result)
        talking = (talking - set(result.ended)) | set(result.started)
        ids = [node.id for node in result.configuration]
        assert set(result.configuration) == active
        assert table.place(ids, {}) is result.place
        assert talking == {node for node in active if node.conversation is not None}
        if result.finished or name is None:
            break
        result = step(result.place, result.data, Event(name))
