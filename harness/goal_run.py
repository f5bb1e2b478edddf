"""The loop of a goal run: ask the plan for the next cell, run it, write the table as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cell_run import CellRun
from harness.errors import UsageError
from harness.goals import Goal, GoalTable, find_goals, next_run
from harness.model import Cell, Drive, RunInfo, Side, SideInfo
from harness.plan import Plan, check_slots
from harness.ports import Box, Clock, Progress, RunWriter
from harness.report import goal_line, render_goals


@dataclass(slots=True)
class GoalRun:
    """One run.

    Args:
        writer: Has each cell on disk before the next one starts.
        goals: Those that `info` names, in order.
        kept: The cells that the run has already.
    """

    box: Box
    clock: Clock
    progress: Progress
    writer: RunWriter
    info: RunInfo
    goals: tuple[Goal, ...]
    kept: Sequence[Cell] = ()
    _cell_run: CellRun = field(init=False)

    def __post_init__(self) -> None:
        self._cell_run = CellRun(
            box=self.box,
            clock=self.clock,
            progress=self.progress,
            writer=self.writer,
            info=self.info,
            on_cell=self._ended,
            cells=list(self.kept),
        )

    def go(self) -> GoalTable:
        """Run all cells of all goals, as often as they are to be repeated.

        Raises:
            BranchCannotRunError: The build's first cell, at C=1, does not end ok.
            DisturbedError: A cell ran other code than the build's.
        """
        (check,) = check_slots(Plan(levels=(), blocks=1, sides=(Side.BRANCH,)))
        self._cell_run.check(check, self.info.sides[0])
        while following := next_run(self.goals, self.info.blocks, self._cell_run.cells):
            slot, drive = following
            self._cell_run.run(slot, self._side_of(drive), self.info.load)
        return self._write(complete=True)

    def _side_of(self, drive: Drive) -> SideInfo:
        wanted = (drive.arm, drive.environment)
        for side in self.info.sides:
            if (side.arm, side.environment) == wanted:
                return side
        msg = f"the goals are driven otherwise than when this run began: by {drive.arm}"
        raise UsageError(msg, hint="start a new run")

    def _ended(self, cell: Cell) -> None:
        self.progress.say(goal_line(cell, self.info.blocks))
        self._write(complete=False)

    def _write(self, *, complete: bool) -> GoalTable:
        said = find_goals(self.info, self._cell_run.cells, complete=complete)
        self.writer.write(said, render_goals(said))
        return said
