"""Records and cells of older schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from experiments.speed_goals.run import render_stored
from harness.adapters.results.record import (
    SCHEMA_VERSION,
    read_cells,
    read_run,
    write_cell,
    write_run,
)
from harness.adapters.results.store import FilesStore
from harness.analysis.comparison import compare
from harness.model.cells import Cell
from harness.model.gate import DEFAULT_MARGINS, GateInfo, NoiseFloor
from harness.model.nouns import Arm, Drive, Outcome, Side
from harness.model.plan import Plan
from harness.model.runs import RunInfo, RunReport
from harness.report.derived import report_of
from harness.verbs.housekeeping import show_run
from tests.builders.model import make_cell, make_run, make_side, ok_cell

Map = dict[str, Any]
REFERENCE = Path(__file__).parents[3] / "results/reference"
OLDER = range(1, SCHEMA_VERSION)
DRIVE = Drive(arm=Arm.HAND, environment={"SCALE_VT": "0"})
CELLS = [
    ok_cell(Side.BASE, 500),
    ok_cell(Side.BRANCH, 500),
    make_cell(Side.BASE, 1000, Outcome.OOM, pair=None, drive=DRIVE),
]
PHASES = ("objective", "warm_up", "refine", "pairs", "decision_levels", "budget_s")


def _of_schema(report: RunReport, schema: int) -> str:
    """Return a report as the version with an older schema wrote it."""
    stored = json.loads(write_run(report))
    run = stored["run"]
    plan = run.pop("plan")
    del plan["sides"]
    run |= plan
    for side in run["sides"]:
        side.update(side.pop("drive"))
    if run["gate"]:
        run["gate"]["floor"] = run["gate"].pop("noise_floor")
    del stored["derived"]["in-short"]
    for number, undo in ((5, _without_5), (4, _without_4), (3, _without_3), (2, _without_2)):
        if schema < number:
            undo(run)
    return json.dumps(stored | {"schema": schema})


def _without_5(run: Map) -> None:
    del run["resumed"], run["box"]["machine"]


def _without_4(run: Map) -> None:
    del run["box"]["holds"]


def _without_3(run: Map) -> None:
    for name in PHASES:
        del run[name]


def _without_2(run: Map) -> None:
    del run["goals"]
    run["arm"] = {side.pop("arm") for side in run["sides"]}.pop()


def _cell_of_schema(cell: Cell, schema: int) -> str:
    """Return a line of cells.jsonl as the version with an older schema wrote it."""
    line = json.loads(write_cell(cell))
    drive = line.pop("drive")
    if schema > 1:
        line |= drive or {"arm": None, "environment": None}
    if schema < 3:
        del line["slot"]["phase"]
    return json.dumps(line) + "\n"


def _read(text: str) -> RunReport:
    return read_run(text, where="compare.json")


@pytest.mark.parametrize("schema", OLDER)
@pytest.mark.parametrize("sides", [tuple(Side), (Side.BRANCH,)])
def test_record_of_an_older_schema_is_the_same_run(schema: int, sides: tuple[Side, ...]) -> None:
    """The plan holds the run's fields, and each drive an arm and an environment."""
    drive = Drive(arm=Arm.SC_CKPT, environment={"A": "1"})
    run = make_run(sides=sides)
    run = structs.replace(
        run, sides=tuple(structs.replace(side, drive=drive) for side in run.sides)
    )
    found = _read(_of_schema(report_of(compare(run, [], complete=True)), schema))
    assert (found.run, found.complete) == (run, True)
    assert found.run.plan.sides == sides
    assert [side.drive for side in found.run.sides] == [drive] * len(sides)


def _later(run: RunInfo) -> RunInfo:
    """Return a run with a value in each field that came after schema 2."""
    plan = Plan(
        levels=(500, 1000),
        blocks=2,
        objective=3.0,
        warm_up=False,
        refine=True,
        pairs=4,
        decision_levels=(700,),
        budget_s=90.0,
    )
    floor = NoiseFloor(
        key="k", measured_at="", level=500, pairs=8, deviations={"cpu-ms/turn": 0.1}
    )
    return structs.replace(
        run,
        kind="gate",
        plan=plan,
        gate=GateInfo(margins=DEFAULT_MARGINS, strict=True, noise_floor=floor),
        resumed=("2026-11-30T12:40:00Z",),
        box=structs.replace(run.box, holds=("memory",), machine="0123456789ab"),
    )


def test_record_of_schema_5_keeps_plan_gate_and_box() -> None:
    """Every setting of a gate is kept; its `floor` is the noise floor."""
    run = _later(make_run())
    found = _read(_of_schema(report_of(compare(run, CELLS, complete=False)), 5))
    assert (found.run, found.complete) == (run, False)
    assert found.run.gate is not None
    assert found.run.gate.noise_floor is not None


@pytest.mark.parametrize("schema", [3, 4])
def test_record_of_schema_3_and_4_keeps_the_phases(schema: int) -> None:
    """Fields of later schemas have their defaults."""
    run, plain = _later(make_run()), make_run()
    box = plain.box if schema < 4 else structs.replace(run.box, machine="")
    expected = structs.replace(run, resumed=(), box=box)
    found = _read(_of_schema(report_of(compare(run, CELLS, complete=True)), schema))
    assert found.run == expected


def test_record_of_a_gate_without_noise_keeps_that() -> None:
    """A gate on a host without a selftest has no noise floor."""
    run = structs.replace(make_run(), kind="gate", gate=GateInfo(margins=DEFAULT_MARGINS))
    found = _read(_of_schema(report_of(compare(run, CELLS, complete=True)), 5))
    assert found.run == run


def test_record_of_schema_2_keeps_two_arms_and_the_goals() -> None:
    """Each side has its own arm; a goal run has one build with several drives."""
    sides = (make_side(Side.BASE, arm=Arm.HAND), make_side(Side.BRANCH, arm=Arm.SC_MEM))
    run = structs.replace(make_run(), sides=sides)
    assert _read(_of_schema(report_of(compare(run, [], complete=True)), 2)).run == run
    builds = tuple(make_side(Side.BRANCH, arm=arm) for arm in Arm)
    plan = structs.replace(run.plan, sides=(Side.BRANCH,))
    goals = structs.replace(run, kind="goals", sides=builds, plan=plan, goals=("x",))
    report = RunReport(run=goals, complete=True, derived={"in-short": ""}, document="")
    assert _read(_of_schema(report, 2)).run == goals


@pytest.mark.parametrize("schema", OLDER)
def test_record_of_an_older_schema_has_a_row_of_the_index(schema: int) -> None:
    """`in-short` follows from the stored knees and equals the row of schema 6."""
    report = report_of(compare(make_run(), CELLS, complete=True))
    found = _read(_of_schema(report, schema))
    assert found.derived["in-short"] == report.derived["in-short"]
    assert found.derived == report.derived


@pytest.mark.parametrize(
    ("met", "row"),
    [
        ([True, False, None], "1 of 3 goals met, 1 not measured"),
        ([True], "1 of 1 goal met"),
        ([], "0 of 0 goals met"),
    ],
)
def test_record_of_old_goals_has_a_row_of_the_index(met: list[bool | None], row: str) -> None:
    """`in-short` counts the goals that were met."""
    goals = [{"key": "hand-8000-latency", "met": value} for value in met]
    run = structs.replace(make_run(sides=[Side.BRANCH]), kind="goals", goals=("x",))
    derived = {"in-short": "", "goals": goals, "warnings": []}
    report = RunReport(run=run, complete=True, derived=derived, document="")
    assert _read(_of_schema(report, 5)).derived["in-short"] == row


def test_record_without_derived_knees_has_an_empty_row() -> None:
    """A run that was killed in its first cells has no knees."""
    report = RunReport(run=make_run(), complete=False, derived={"in-short": ""}, document="")
    assert _read(_of_schema(report, 5)).derived == {"in-short": ""}


@pytest.mark.parametrize("schema", OLDER)
def test_cells_of_an_older_schema_are_the_same_cells(schema: int) -> None:
    """A cell holds its drive; schema 1 did not store one."""
    text = "".join(_cell_of_schema(cell, schema) for cell in CELLS)
    expected = CELLS if schema > 1 else [structs.replace(cell, drive=None) for cell in CELLS]
    assert read_cells(text, where="cells.jsonl") == expected


@pytest.mark.parametrize(
    "folder", sorted(path.parent.name for path in REFERENCE.glob("*/cells.jsonl"))
)
def test_reference_results_print_their_stored_table(folder: str) -> None:
    """Records of schemas 1 to 3 render as their own version rendered them."""
    shown = show_run(FilesStore(REFERENCE), folder, {"goals": render_stored})
    assert shown == (REFERENCE / folder / "table.md").read_text()
