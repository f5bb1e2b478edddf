"""A sketch as an SCXML document, and what python-statemachine makes of it."""

from collections.abc import Sequence
from typing import Any, cast
from xml.etree import ElementTree as ET

from statemachine import StateChart
from statemachine.io.scxml.processor import SCXMLProcessor

from experiments.oracle.corrections import Correction, correct
from experiments.oracle.sketch import Arc, Shape, Sketch, View


class _Model:
    """The session's data, which the oracle would make too late."""

    def __init__(self, fuel: int) -> None:
        self.log: list[str] = []
        self.n = 0
        self.fuel = fuel


def watch(sketch: Sketch, corrections: Sequence[Correction] = ()) -> list[View]:
    """Run a sketch, and look at it at the start and after each event.

    Args:
        sketch: What to run.
        corrections: Where the oracle is to do what the Recommendation says.
    """
    processor = SCXMLProcessor(trusted=True)
    processor.parse_scxml("sketch", to_scxml(sketch))
    chart = next(iter(processor.scs.values()))
    correct(chart, corrections, [shape.id for shape in sketch.walk()])
    machine = cast("Any", processor).start(model=_Model(sketch.fuel))
    views = [_view(machine)]
    for name in sketch.events:
        if machine.is_terminated:
            break
        machine.send(name)
        views.append(_view(machine))
    return views


def to_scxml(sketch: Sketch) -> str:
    """Write the document of a sketch."""
    root = ET.Element("scxml", version="1.0", initial=" ".join(sketch.initial))
    for shape in sketch.states:
        _add_state(root, shape)
    return ET.tostring(root, encoding="unicode")


def _view(machine: StateChart[Any]) -> View:
    model: Any = machine.model
    active = frozenset(str(state.id) for state in machine.configuration)
    return View(active, tuple(model.log), machine.is_terminated)


def _add_state(parent: ET.Element, shape: Shape) -> None:
    made = ET.SubElement(parent, shape.kind, id=shape.id)
    if shape.kind == "history":
        made.set("type", "deep" if shape.deep else "shallow")
        default = ET.SubElement(made, "transition", target=" ".join(shape.targets))
        _log(default, shape.id)
        return
    if shape.targets:
        made.set("initial", " ".join(shape.targets))
    if shape.kind != "final":
        entry = ET.SubElement(made, "onentry")
        _log(entry, f"+{shape.id}")
        ET.SubElement(entry, "assign", location="n", expr="n + 1")
        _raise(entry, shape.raises)
        _log(ET.SubElement(made, "onexit"), f"-{shape.id}")
    for arc in shape.arcs:
        _add_arc(made, arc)
    for child in shape.children:
        _add_state(made, child)


def _add_arc(parent: ET.Element, arc: Arc) -> None:
    made = ET.SubElement(parent, "transition")
    attributes = (
        ("event", arc.event or ""),
        ("target", " ".join(arc.targets)),
        ("cond", arc.condition),
        ("type", "internal" if arc.internal else ""),
    )
    for name, value in attributes:
        if value:
            made.set(name, value)
    _log(made, arc.id)
    if arc.burns:
        ET.SubElement(made, "assign", location="fuel", expr="fuel - 1")
    _raise(made, arc.raises)


def _log(parent: ET.Element, text: str) -> None:
    ET.SubElement(parent, "script").text = f"log.append({text!r})"


def _raise(parent: ET.Element, events: tuple[str, ...]) -> None:
    for name in events:
        ET.SubElement(parent, "raise", event=name)
