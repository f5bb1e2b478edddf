"""The stored form of a run: JSON with a schema version, and back.

History of the schema:
    1: the first; both sides drive the run's arm.
    2: each side has an arm of its own, and a cell says which it drove and in which environment; runs of kind `goals`.
    3: a slot has a phase, and a run the settings of the phases; capacities and the order of the cells are derived.
    4: a box says which caps it holds, and the evidence of a cell what the box saw of it.
    5: a run says when it was resumed, and a box which machine it was on.
"""

import msgspec

from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Side
from harness.model.runs import RunInfo, RunReport
from harness.model.text import one_line

SCHEMA_VERSION = 5
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
        raw = msgspec.json.decode(text, type=dict[str, object])
        schema = raw.get("schema")
        if schema not in range(1, SCHEMA_VERSION + 1):
            msg = f"{where} has schema {schema}, and this version reads 1 to {SCHEMA_VERSION}"
            raise UsageError(msg, hint="read it with the version that wrote it")
        stored = msgspec.convert(_from_1(raw) if schema == 1 else raw, _Stored)
        _refuse_sides(stored.run)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        msg = f"{where} cannot be read: {one_line(str(error), _LONGEST)}"
        raise UsageError(msg, hint="is it the folder of a run?") from error
    return RunReport(
        run=stored.run, complete=stored.complete, derived=stored.derived, document=""
    )


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


def _from_1(raw: dict[str, object]) -> dict[str, object]:
    """Give each side the arm that the run had."""
    run = msgspec.convert(raw.get("run"), dict[str, object])
    sides = msgspec.convert(run.get("sides"), list[dict[str, object]])
    arm = run.pop("arm", None)
    return raw | {"run": run | {"sides": [side | {"arm": arm} for side in sides]}}


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
            cells.append(msgspec.json.decode(line, type=Cell))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            said = one_line(str(error), _LONGEST)
            msg = f"{where}, line {number} is not a cell: {said}"
            raise UsageError(msg, hint="restore the file from a copy") from error
    return cells
