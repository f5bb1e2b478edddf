"""Properties of every chart and every sequence of events."""

from random import Random

from hypothesis import given, settings, strategies as st

from escapement.compiler.compiler import compile_chart
from escapement.event import Event
from escapement.machine.node import Node
from escapement.machine.step import Step, begin, step
from escapement.machine.table import ChartTable
from experiments.oracle import ours
from experiments.oracle.generator import make_sketch


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


def check_place(table: ChartTable, result: Step) -> None:
    """Check that a session's place is legal, with its history."""
    place = result.place
    assert result.place.configuration.nodes == place.configuration.nodes
    restored = table.find_place(place.configuration.ids, place.history)
    assert restored is not None
    assert restored.configuration is place.configuration
    assert restored.history == place.history


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_steps_keep_the_configuration_legal_and_tell_all_that_happened(random: Random) -> None:
    """Places are legal (SCXML 3.10, 3.11), and effects explain every change."""
    sketch = make_sketch(random)
    table = compile_chart(ours.to_chart(sketch))
    result = begin(table, ours.data(sketch))
    active: set[Node] = set()
    talking: set[Node] = set()
    for name in (*sketch.events, None):
        active = replay(active, result)
        talking = (talking - set(result.ended)) | set(result.started)
        assert set(result.place.configuration.nodes) == active
        check_place(table, result)
        assert talking == {node for node in active if node.conversation is not None}
        if result.finished or name is None:
            break
        result = step(result.place, result.data, Event(name))
