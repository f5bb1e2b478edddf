"""The report of the speed goals."""

from collections.abc import Sequence

from msgspec import structs

from experiments.speed_goals.findings import GoalResult, GoalTable, arm_of
from experiments.speed_goals.goal import Goal
from harness.model.cells import Cell
from harness.model.nouns import Drive
from harness.model.runs import RunInfo, RunReport
from harness.model.units import show_count, show_number, show_plural, show_ratio, show_seconds
from harness.report.document import header
from harness.report.lines import describe_cell
from harness.report.markdown import bullets, escape, table

_NONE = "–"
_MET = {True: "yes", False: "**no**", None: _NONE}
_SENSES = {"<=": "≤", "<": "<", ">=": "≥"}
_MEASURED = "measured: median [min, max]"
_COLUMNS = ("figure", "goal", "original", _MEASURED, "met")
_TOGGLES = ("SCALE_PROCS", "SCALE_STATE_KB")
_NOTE = (
    "all rows run once before any is repeated, each cell in a fresh container. "
    "A goal is met if no repeat failed and the median is within the bound; this is a report, not a gate."
)


def report_of(table: GoalTable) -> RunReport:
    """Return the stored report of a goal table."""
    return RunReport(
        run=table.run,
        complete=table.complete,
        derived=_derive(table),
        document=render_goals(table),
    )


def _derive(table: GoalTable) -> dict[str, object]:
    return {
        "in-short": tally(table),
        "goals": [_goal(finding) for finding in table.findings],
        "warnings": list(table.warnings),
    }


def _goal(finding: GoalResult) -> dict[str, object]:
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


def render_goals(goals: GoalTable) -> str:
    """Return the whole document, ending in a newline."""
    rows = [_row(finding, goals.run.plan.blocks) for finding in goals.findings]
    notes = [
        f"{finding.goal.figure}: {note}" for finding in goals.findings for note in finding.notes
    ]
    parts = [
        "## Speed goals",
        header(_as_one_build(goals.run)),
        table(_COLUMNS, rows, words=("figure", _MEASURED, "met")),
        f"{tally(goals)}; {show_plural(goals.run.plan.blocks, 'repeat')}, {_NOTE}",
        _list("Notes", notes),
        _list("Warnings", goals.warnings),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def tally(goals: GoalTable) -> str:
    """Return the number of goals that are met."""
    met = [finding.is_met for finding in goals.findings]
    unknown = f", {met.count(None)} not measured" if None in met else ""
    return f"{met.count(True)} of {show_plural(len(met), 'goal')} met{unknown}"


def goal_line(cell: Cell, repeats: int) -> str:
    """Describe in one line how a cell of a goal run ended."""
    drive = cell.drive
    given = drive.environment if drive else {}
    toggles = [f" {name}={value}" for name, value in given.items() if name in _TOGGLES]
    level = show_count(cell.slot.level)
    place = f"{cell.slot.block + 1}/{repeats} {arm_of(cell)} C={level}{''.join(toggles)}"
    return f"{place} {describe_cell(cell)} ({show_seconds(cell.wall_s)})"


def _as_one_build(run: RunInfo) -> RunInfo:
    """Return a run with one side, with the environment that all sides share."""
    first, *others = run.sides
    common = {
        name: value
        for name, value in first.drive.environment.items()
        if all(side.drive.environment.get(name) == value for side in others)
    }
    return structs.replace(
        run, sides=(structs.replace(first, drive=Drive(arm=first.drive.arm, environment=common)),)
    )


def _row(finding: GoalResult, repeats: int) -> list[str]:
    goal = finding.goal
    bound = "ends ok" if goal.sense is None else f"{_SENSES[goal.sense]} {_show(goal, goal.bound)}"
    measured = _measured(finding, repeats)
    return [goal.figure, bound, goal.original or _NONE, measured, _MET[finding.is_met]]


def _measured(finding: GoalResult, repeats: int) -> str:
    """Show failed cells and measured values."""
    parts = []
    if finding.failed:
        first = finding.failed[0]
        place = f"at C={show_count(first.slot.level)}, {len(finding.failed)} of {show_plural(repeats, 'repeat')}"
        parts.append(f"**DIED — {escape(f'{first.outcome}: {first.reason}')}** ({place})")
    values, median = finding.values, finding.median
    if median is not None:
        spread = [_show(finding.goal, value) for value in (values[0], values[-1])]
        interval = f" [{', '.join(spread)}]" if len(values) > 1 else ""
        fewer = f" ({len(values)} of {show_plural(repeats, 'repeat')})"
        parts.append(
            f"{_show(finding.goal, median)}{interval}{fewer if len(values) < repeats else ''}"
        )
    return "; ".join(parts) or _NONE


def _show(goal: Goal, value: float) -> str:
    return show_ratio(value) if goal.unit == "×" else show_number(value)


def _list(title: str, items: Sequence[str]) -> str:
    return f"### {title}\n\n{bullets(map(escape, items))}" if items else ""
