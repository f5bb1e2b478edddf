"""The run of the speed goals, with the harness's loop over cells."""

from collections.abc import Sequence

from msgspec import structs

from experiments.speed_goals.definitions import GOALS, choose_goals
from experiments.speed_goals.findings import GoalTable, find_goals
from experiments.speed_goals.goal import REFERENCE_CAPS, REFERENCE_LOAD, drives_of
from experiments.speed_goals.plan import next_run
from experiments.speed_goals.report import goal_line, render_goals, report_of
from harness.model.cells import Cell, Slot
from harness.model.errors import UsageError
from harness.model.nouns import Drive, Side
from harness.model.plan import Plan
from harness.model.request import Request
from harness.model.runs import RunInfo, SideInfo
from harness.verbs.ports import World
from harness.verbs.resume import resume
from harness.verbs.run import OpenRun, open_run, reported, run_cells
from harness.verbs.sides import build_one, clear_leftovers, describe_box


def goals(world: World, request: Request, *, only: str, repeats: int) -> str:
    """Build the working tree, measure the goals, store and return the table.

    Args:
        world: The adapters.
        request: Its base image and its folder to resume; the goals define all else.
        only: Text that the figures of the goals contain; empty for all goals.
        repeats: Runs of each cell, at least one.

    Raises:
        HarnessError: See its subclasses; finished cells are on disk.
    """
    if request.resume is not None:
        run = resume(world, request.resume, "goals")
    else:
        run = _open_goals(world, request, only, repeats)
    known = {goal.key: goal for goal in GOALS}
    chosen = [known[key] for key in run.info.goals]
    repeats = run.info.plan.blocks

    def next_cell(cells: Sequence[Cell]) -> tuple[Slot, SideInfo] | None:
        following = next_run(chosen, repeats, cells)
        return following and (following[0], _side_of(run.info, following[1]))

    with reported(world, run):
        for cell in run_cells(world, run, next_cell):
            world.progress.say(goal_line(cell, repeats))
            _write(run, complete=False)
        table = _write(run, complete=True)
    world.progress.say(f"results in {run.writer.folder}")
    return render_goals(table)


def render_stored(info: RunInfo, cells: Sequence[Cell], complete: bool) -> str:  # noqa: FBT001  # as `show_run` calls it
    """Return the table of a stored goal run."""
    return render_goals(find_goals(info, cells, complete=complete))


def _open_goals(world: World, request: Request, only: str, repeats: int) -> OpenRun:
    chosen = choose_goals(only)
    clear_leftovers(world)
    drives = drives_of(chosen)
    side, base_name = build_one(world, request.base_image, drives[0])
    info = RunInfo(
        run_id=world.run_id,
        started_at=world.utc_stamp(),
        kind="goals",
        load=REFERENCE_LOAD,
        caps=REFERENCE_CAPS,
        plan=Plan(levels=(), blocks=repeats, sides=(Side.BRANCH,)),
        sides=tuple(structs.replace(side, drive=drive) for drive in drives),
        purity=None,
        how="one build",
        box=describe_box(world, base_name, REFERENCE_CAPS),
        goals=tuple(goal.key for goal in chosen),
    )
    return open_run(world, info, f"goals-{(side.commit or '')[:7]}")


def _side_of(info: RunInfo, drive: Drive) -> SideInfo:
    for side in info.sides:
        if side.drive == drive:
            return side
    msg = f"the goals have changed since this run started: {drive.arm} has another environment"
    raise UsageError(msg, hint="start a new run")


def _write(run: OpenRun, *, complete: bool) -> GoalTable:
    table = find_goals(run.info, run.cells, complete=complete)
    run.writer.write(report_of(table))
    return table
