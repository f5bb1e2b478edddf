"""The stored form of a run: JSON with a schema version, and older versions.

History of the schema:
    1: the first; both sides drive the run's arm.
    2: each side has its own arm, and a cell its arm and environment; runs of kind `goals`.
    3: a slot has a phase, and a run the settings of the phases; capacities and the order of the cells are derived.
    4: a box lists the caps that it holds, and the evidence of a cell what the box observed.
    5: a run lists when it was resumed, and a box names its machine.
    6: a run holds its plan as one value, and each side and cell its drive; `floor` is `noise_floor`; `derived` has `in-short`.
"""

from typing import Any

import msgspec

from harness.model.cells import Cell, Knee
from harness.model.errors import UsageError
from harness.model.nouns import Side
from harness.model.plan import Plan
from harness.model.runs import RunInfo, RunReport
from harness.model.text import one_line
from harness.model.units import show_plural
from harness.report.lines import knee_line

Map = dict[str, Any]
SCHEMA_VERSION = 6
_LONGEST_ERROR = 300
_ERRORS = (msgspec.DecodeError, RecursionError, ValueError)


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`compare.json` or `goals.json`; `derived` follows from the cells."""

    schema: int
    complete: bool
    run: RunInfo
    derived: dict[str, object]


def write_run(report: RunReport) -> str:
    """Return the text of ``compare.json`` or ``goals.json``."""
    stored = _Stored(
        schema=SCHEMA_VERSION,
        complete=report.complete,
        run=report.run,
        derived=dict(report.derived),
    )
    return msgspec.json.format(msgspec.json.encode(stored), indent=2).decode() + "\n"


def read_run(text: str, *, where: str) -> RunReport:
    """Parse ``compare.json`` or ``goals.json``; the table and the summary stay empty.

    Raises:
        UsageError: It has an unknown schema, or is no such file.
    """
    try:
        raw = msgspec.json.decode(text, type=Map)
        schema = raw.get("schema")
        if schema not in range(1, SCHEMA_VERSION + 1):
            msg = f"{where} has schema {schema}, and this version reads 1 to {SCHEMA_VERSION}"
            raise UsageError(msg, hint="read it with the version that wrote it")
        stored = msgspec.convert(raw if schema == SCHEMA_VERSION else _upgrade(raw), _Stored)
        _refuse_wrong_sides(stored.run)
    except _ERRORS as error:
        msg = f"{where} cannot be read: {one_line(str(error), _LONGEST_ERROR)}"
        raise UsageError(msg, hint="is it the folder of a run?") from error
    return RunReport(run=stored.run, complete=stored.complete, derived=stored.derived, document="")


def _refuse_wrong_sides(run: RunInfo) -> None:
    """Refuse a run without the sides of its kind.

    Raises:
        ValueError: A side is missing, or one too many.
    """
    sides = [info.side for info in run.sides]
    if run.has_two_sides and sides != list(Side):
        msg = f"a run of kind {run.kind} has base and branch, and this one has {', '.join(sides) or 'none'}"
        raise ValueError(msg)
    if (run.kind == "ramp" and len(sides) != 1) or not sides:
        msg = f"a run of kind {run.kind} has one build, and this one has {len(sides)}"
        raise ValueError(msg)


def _upgrade(raw: Map) -> Map:
    """Convert a record of schemas 1 to 5."""
    run = msgspec.convert(raw.get("run"), Map)
    sides = msgspec.convert(run.pop("sides", None), list[Map])
    if "arm" in run:  # schema 1 has one arm for both sides
        arm = run.pop("arm")
        sides = [{"arm": arm, **side} for side in sides]
    plan = {name: run.pop(name) for name in Plan.__struct_fields__ if name in run}
    plan["sides"] = list(dict.fromkeys(str(side.get("side")) for side in sides))
    run |= {"plan": plan, "sides": [_with_drive(side) for side in sides]}
    if run.get("gate"):
        gate = msgspec.convert(run["gate"], Map)
        run["gate"] = gate | {"noise_floor": gate.pop("floor", None)}
    derived = msgspec.convert(raw.get("derived"), Map)
    return raw | {"run": run, "derived": {"in-short": _in_short(derived), **derived}}


def _with_drive(values: Map) -> Map:
    """Join the arm and the environment of a side or a cell of schemas 1 to 5."""
    if "arm" not in values:
        return values
    drive = {name: values.pop(name, None) for name in ("arm", "environment")}
    return values | {"drive": None if None in drive.values() else drive}


def _in_short(derived: Map) -> str:
    """Return the row of the index, which schema 6 stores."""
    if "goals" in derived:
        met = [goal.get("met") for goal in msgspec.convert(derived["goals"], list[Map])]
        unknown = f", {met.count(None)} not measured" if None in met else ""
        return f"{met.count(True)} of {show_plural(len(met), 'goal')} met{unknown}"
    knees = msgspec.convert(derived.get("knees", {}), dict[str, Map])
    texts = []
    for name, knee in knees.items():
        fields = {key.replace("-", "_"): value for key, value in knee.items()}
        texts.append(knee_line(name, msgspec.convert(fields, Knee)))
    return "; ".join(texts)


def write_cell(cell: Cell) -> str:
    """Return one line of ``cells.jsonl``, with its newline."""
    return msgspec.json.encode(cell).decode() + "\n"


def read_cells(text: str, *, where: str) -> list[Cell]:
    """Parse ``cells.jsonl``; skip a last line that a crash tore.

    Raises:
        UsageError: A whole line is not a cell.
    """
    cells = []
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            cells.append(msgspec.convert(_with_drive(msgspec.json.decode(line, type=Map)), Cell))
        except _ERRORS as error:
            msg = f"{where}, line {number} is not a cell: {one_line(str(error), _LONGEST_ERROR)}"
            raise UsageError(msg, hint="restore the file from a copy") from error
    return cells
