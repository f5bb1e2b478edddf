"""The results of the goals, from the cells of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from experiments.speed_goals.definitions import GOALS
from experiments.speed_goals.goal import Goal
from experiments.speed_goals.plan import cells_at
from experiments.speed_goals.readings import Reading
from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Outcome, Phase
from harness.model.runs import RunInfo
from harness.outcome.disturbance import explain_idle_lag


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalResult:
    """One goal and its measurements.

    Args:
        readings: One per repeat, in order; none for a repeat with missing or invalid cells.
    """

    goal: Goal
    readings: tuple[Reading, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """The measured values, ascending."""
        return tuple(sorted(r.value for r in self.readings if r.value is not None))

    @property
    def failed(self) -> tuple[Cell, ...]:
        """The failed cells, one per repeat."""
        return tuple(r.failed for r in self.readings if r.failed is not None)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the readings, each once."""
        return tuple(dict.fromkeys(r.note for r in self.readings if r.note))

    @property
    def median(self) -> float | None:
        """The median of the measured values; None without any."""
        return median(self.values) if self.values else None

    @property
    def is_met(self) -> bool | None:
        """True if no cell failed and the median meets the bound; None if unknown."""
        if self.failed:
            return False
        return None if self.median is None else self.goal.is_held_by(self.median)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalTable:
    """The results of a goal run.

    Args:
        findings: One per goal.
        invalid: Excluded from all findings.
        complete: True if all cells ran.
        late: A sentence per cell whose mock was late although CPU was free, and which counts nevertheless.
    """

    run: RunInfo
    findings: tuple[GoalResult, ...]
    invalid: tuple[Cell, ...]
    complete: bool
    late: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about the data."""
        doubts = list(self.run.box.warnings)
        for cell in self.invalid:
            again = "excluded" if cell.slot.attempt else "retried"
            doubts.append(
                f"{arm_of(cell)} C={cell.slot.level:,}: invalid cell ({cell.reason}); {again}"
            )
        doubts.extend(self.late)
        if not self.complete:
            doubts.append("the run was interrupted: the figures cover only the finished cells")
        return tuple(doubts)


def find_goals(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> GoalTable:
    """Derive the table of a goal run from its cells.

    Raises:
        UsageError: This version does not know a goal of the run.
    """
    known = {goal.key: goal for goal in GOALS}
    unknown = [key for key in run.goals if key not in known]
    if unknown:
        msg = f"the run measured goals that this version does not know: {', '.join(unknown)}"
        raise UsageError(msg, hint="read it with the version that wrote it")
    valid = [cell for cell in cells if cell.outcome is not Outcome.INVALID]
    return GoalTable(
        run=run,
        findings=tuple(_find(known[key], run.plan.blocks, valid) for key in run.goals),
        invalid=tuple(cell for cell in cells if cell.outcome is Outcome.INVALID),
        complete=complete,
        late=tuple(
            f"{arm_of(cell)} C={cell.slot.level:,}: {late}"
            for cell in valid
            if cell.slot.phase is not Phase.CHECK
            and cell.result is not None
            and (late := explain_idle_lag(cell.result, run.caps))
        ),
    )


def arm_of(cell: Cell) -> str:
    """Return the arm of a cell; empty in results of schema 1."""
    return str(cell.drive.arm) if cell.drive else ""


def _find(goal: Goal, repeats: int, valid: Sequence[Cell]) -> GoalResult:
    readings = []
    for repeat in range(repeats):
        here = cells_at(valid, goal.drive, repeat)
        ran = {cell.slot.level for cell in here}
        if here and ran.issuperset(goal.levels):
            readings.append(goal.read(here, goal.levels))
    return GoalResult(goal=goal, readings=tuple(readings))
