"""The loop of a goal run: ask the plan for the next cell, run it, write the table as it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import structs

from experiments.speed_goals.definitions import GOALS, choose_goals
from experiments.speed_goals.findings import GoalTable, find_goals
from experiments.speed_goals.goal import REFERENCE_CAPS, REFERENCE_LOAD, Goal, drives_of
from experiments.speed_goals.plan import next_run
from experiments.speed_goals.report import goal_line, render_goals
from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Side
from harness.model.plan import Plan
from harness.model.request import Request
from harness.model.nouns import Drive
from harness.model.runs import RunInfo, SideInfo
from harness.plan.ladder import check_slots
from harness.verbs.ports import Box, Clock, Progress, RunWriter, World
from harness.verbs.resume import resume
from harness.verbs.run import CellRun, Opened, measure, open_new, tidied
from harness.verbs.sides import build_one, clear_leftovers, describe_box


def goals(world: World, request: Request, *, only: str, repeats: int) -> str:
    """Build the working tree, measure the speed goals, write the results, and return their table.

    Args:
        world: The adapters.
        request: Of it the base image counts; load, caps and levels are the goals' own.
        only: A text that a goal's figure is to hold; empty for all goals.
        repeats: How often each cell is run, at least once.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    if request.resume is not None:
        opened = resume(world, request.resume, "goals")
    else:
        opened = _open_goals(world, request, only, repeats)
    known = {goal.key: goal for goal in GOALS}
    loop = GoalRun(
        world.box,
        world.clock,
        world.progress,
        opened.writer,
        opened.run,
        tuple(known[key] for key in opened.run.goals),
        opened.kept,
    )
    with tidied(world):
        said, folder = measure(world, opened, loop.go)
    world.progress.say(f"results in {folder}")
    return render_goals(said)


def _open_goals(world: World, request: Request, only: str, repeats: int) -> Opened:
    """Build the working tree, and settle which goals it is held to."""
    chosen = choose_goals(only)
    clear_leftovers(world)
    drives = drives_of(chosen)
    side, base_name = build_one(world, request.settings.base_image, drives[0])
    run = RunInfo(
        run_id=world.run_id,
        started_at=world.clock.utc_stamp(),
        kind="goals",
        load=REFERENCE_LOAD,
        caps=REFERENCE_CAPS,
        levels=(),
        blocks=repeats,
        sides=tuple(
            structs.replace(side, arm=drive.arm, environment=drive.environment) for drive in drives
        ),
        purity=None,
        how="one build",
        box=describe_box(world, base_name, REFERENCE_CAPS),
        goals=tuple(goal.key for goal in chosen),
    )
    return open_new(world, run, f"goals-{(side.commit or '')[:7]}")


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
