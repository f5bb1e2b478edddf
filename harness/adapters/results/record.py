"""The stored form of a run: JSON with a schema version, and back.

History of the schema:
    1: the first; both sides drive the run's arm.
    2: each side has an arm of its own, and a cell says which it drove and in which environment; runs of kind `goals`.
    3: a slot has a phase, and a run the settings of the phases; capacities and the order of the cells are derived.
    4: a box says which caps it holds, and the evidence of a cell what the box saw of it.
    5: a run says when it was resumed, and a box which machine it was on.
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
_LONGEST = 300  # that is shown of what is wrong with a file


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`compare.json` or `goals.json`. What is under `derived` follows from the cells and is there for other programs to read."""

    schema: int
    complete: bool
    run: RunInfo
    derived: dict[str, object]


def write_run(report: RunReport) -> str:
    """Return the text of ``compare.json``, or of ``goals.json``."""
    stored = _Stored(
        schema=SCHEMA_VERSION,
        complete=report.complete,
        run=report.run,
        derived=dict(report.derived),
    )
    return msgspec.json.format(msgspec.json.encode(stored), indent=2).decode() + "\n"


def read_run(text: str, *, where: str) -> RunReport:
    """Read ``compare.json`` or ``goals.json``.

    Returns:
        What is in the file; the table and the summary are files of their own.

    Raises:
        UsageError: It is of another schema, or not such a file.
    """
    try:
        raw = msgspec.json.decode(text, type=Map)
        schema = raw.get("schema")
        if schema not in range(1, SCHEMA_VERSION + 1):
            msg = f"{where} has schema {schema}, and this version reads 1 to {SCHEMA_VERSION}"
            raise UsageError(msg, hint="read it with the version that wrote it")
        stored = msgspec.convert(raw if schema == SCHEMA_VERSION else _upgrade(raw), _Stored)
        _refuse_sides(stored.run)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        msg = f"{where} cannot be read: {one_line(str(error), _LONGEST)}"
        raise UsageError(msg, hint="is it the folder of a run?") from error
    return RunReport(run=stored.run, complete=stored.complete, derived=stored.derived, document="")


def _refuse_sides(run: RunInfo) -> None:
    """Refuse a run that has not the sides of its kind.

    Raises:
        ValueError: It has not.
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
    """Put the arm and the environment of a side or a cell of schemas 1 to 5 together."""
    if "arm" not in values:
        return values
    drive = {name: values.pop(name, None) for name in ("arm", "environment")}
    return values | {"drive": None if None in drive.values() else drive}


def _in_short(derived: Map) -> str:
    """Return the row of the index that schema 6 stores."""
    if "goals" in derived:
        met = [goal.get("met") for goal in msgspec.convert(derived["goals"], list[Map])]
        return f"{met.count(True)} of {show_plural(len(met), 'goal')} met"
    knees = msgspec.convert(derived.get("knees", {}), dict[str, Map])
    texts = []
    for name, knee in knees.items():
        fields = {key.replace("-", "_"): value for key, value in knee.items()}
        texts.append(knee_line(name, msgspec.convert(fields, Knee)))
    return "; ".join(texts)


def write_cell(cell: Cell) -> str:
    """Return one line of ``cells.jsonl``, its end included."""
    return msgspec.json.encode(cell).decode() + "\n"


def read_cells(text: str, *, where: str) -> list[Cell]:
    """Read ``cells.jsonl``; a last line that was torn by a crash is left out.

    Raises:
        UsageError: A whole line is not a cell.
    """
    whole = text.split("\n")[:-1]
    cells = []
    for number, line in enumerate(whole, start=1):
        try:
            cells.append(msgspec.convert(_with_drive(msgspec.json.decode(line, type=Map)), Cell))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            said = one_line(str(error), _LONGEST)
            msg = f"{where}, line {number} is not a cell: {said}"
            raise UsageError(msg, hint="restore the file from a copy") from error
    return cells
