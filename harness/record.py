"""The stored form of a run: JSON with a schema version, and back.

History of the schema:
    1: the first; both sides drive the run's arm.
    2: each side has an arm of its own, and a cell says which it drove and in which environment; runs of kind `goals`.
    3: a slot has a phase, and a run the settings of the phases; capacities and the order of the cells are derived.
    4: a box says which caps it holds, and the evidence of a cell what the box saw of it.
    5: a run says when it was resumed, and a box which machine it was on.
"""

from collections.abc import Sequence
from dataclasses import asdict

import msgspec

from harness.capacity import Capacity, ratio_range
from harness.compare import Comparison, compare
from harness.errors import UsageError
from harness.goals import Finding, GoalTable, find_goals
from harness.model import Cell, Knee, RunInfo, Side, Slot
from harness.printable import one_line

SCHEMA_VERSION = 5
_LONGEST = 300  # that is shown of what is wrong with a file


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`compare.json` or `goals.json`. What is under `derived` follows from the cells and is there for other programs to read."""

    schema: int
    complete: bool
    run: RunInfo
    derived: dict[str, object]


def write_run(said: Comparison | GoalTable) -> str:
    """Return the text of ``compare.json``, or of ``goals.json``."""
    derived = _derive(said) if isinstance(said, Comparison) else _derive_goals(said)
    stored = _Stored(schema=SCHEMA_VERSION, complete=said.complete, run=said.run, derived=derived)
    return msgspec.json.format(msgspec.json.encode(stored), indent=2).decode() + "\n"


def read_run(text: str, *, where: str) -> tuple[RunInfo, bool]:
    """Read ``compare.json`` or ``goals.json``.

    Returns:
        What was settled before the first cell, and whether the run was complete.

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
    return stored.run, stored.complete


def derive(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> Comparison | GoalTable:
    """Derive what a stored run says from its cells.

    Raises:
        UsageError: They hold what no run measures, or goals that this version does not know.
    """
    say = find_goals if run.kind == "goals" else compare
    try:
        return say(run, cells, complete=complete)
    except (ArithmeticError, LookupError, ValueError) as error:
        msg = f"the run of {run.started_at} holds what no run measures: {error}"
        raise UsageError(msg, hint="restore its files from a copy") from error


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


def _derive(comparison: Comparison) -> dict[str, object]:
    return {
        "knees": {side: _knee(knee) for side, knee in comparison.knees.items()},
        "capacities": {side: asdict(found) for side, found in comparison.capacities.items()},
        "capacity-ratio": _capacity_ratio(comparison.capacities),
        "slopes": {
            name: {side: asdict(estimate) for side, estimate in by_side.items()}
            for name, by_side in comparison.slopes.items()
            if by_side
        },
        "levels": [
            {
                "C": row.level,
                "outcomes": _outcomes(row.cells),
                "ratios": {name: asdict(estimate) for name, estimate in row.ratios.items()},
            }
            for row in comparison.rows
        ],
        "warnings": [warning.text for warning in comparison.warnings],
        "invalid": [_invalid(cell) for cell in comparison.invalid],
        "order": [_place(slot) for slot in comparison.order],
    }


def _invalid(cell: Cell) -> dict[str, object]:
    return _place(cell.slot) | {"reason": cell.reason}


def _capacity_ratio(capacities: dict[Side, Capacity]) -> dict[str, float | None] | None:
    """Return how much more the branch may carry, from its lowest to its highest; None of one build alone."""
    if len(capacities) < 2:
        return None
    low, high = ratio_range(capacities[Side.BASE], capacities[Side.BRANCH])
    return {"low": low, "high": high}


def _place(slot: Slot) -> dict[str, object]:
    return {
        "phase": slot.phase,
        "side": slot.side,
        "C": slot.level,
        "block": slot.block,
        "pair": slot.pair,
        "attempt": slot.attempt,
    }


def _derive_goals(table: GoalTable) -> dict[str, object]:
    return {
        "goals": [_goal(finding) for finding in table.findings],
        "warnings": list(table.warnings),
    }


def _goal(finding: Finding) -> dict[str, object]:
    goal, values = finding.goal, finding.values
    return {
        "key": goal.key,
        "figure": goal.figure,
        "sense": goal.sense,
        "bound": goal.bound if goal.sense else None,
        "original": goal.original or None,
        "why": goal.why,
        "median": finding.median,
        "min": values[0] if values else None,
        "max": values[-1] if values else None,
        "n": len(values),
        "failed": [f"{cell.outcome}: {cell.reason}" for cell in finding.failed],
        "met": finding.is_met,
    }


def _outcomes(cells: dict[Side, list[Cell]]) -> dict[str, list[str]]:
    return {side: [cell.outcome for cell in here] for side, here in cells.items()}


def _knee(knee: Knee) -> dict[str, object]:
    return {
        "last-pass": knee.last_pass,
        "first-fail": knee.first_fail,
        "outcome": knee.outcome,
        "reason": knee.reason,
    }
