"""The use cases: compare two sides, ramp one build, measure the goals, show the plan or a stored run, clean up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from msgspec import structs

from harness.compare import Comparison, compare as derive
from harness.config import Settings
from harness.errors import DisturbedError, NoBoxError, UsageError
from harness.goal_run import GoalRun
from harness.goals import (
    REFERENCE_CAPS,
    REFERENCE_LOAD,
    GoalTable,
    choose_goals,
    drives_of,
    find_goals,
)
from harness.model import BoxInfo, Caps, Drive, Outcome, RunInfo, Side, SideInfo
from harness.plan import Plan, planned_slots
from harness.ports import BaseImage, Box, Build, Clock, Progress, Repo, RunWriter, Store
from harness.report import plan_text, render, render_goals
from harness.run import Run
from harness.sides import (
    build_sides,
    build_working_tree,
    checked_out,
    describe_image,
    describe_sides,
    find_purity,
)
from harness.units import show_bytes

Said = TypeVar("Said", Comparison, GoalTable)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The adapters that a use case works with, and the name under which it marks what it makes."""

    run_id: str
    box: Box
    repo: Repo
    store: Store
    clock: Clock
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A comparison as it was asked for.

    Args:
        base, main: Refs; None for the merge-base with the default branch.
        drives: The arm and the environment of each side.
    """

    settings: Settings
    base: str | None
    main: str | None
    drives: Mapping[Side, Drive]


def compare(world: World, request: Request) -> str:
    """Build both sides, ramp them side by side, write the results, and return the table.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    _clear_leftovers(world)
    base_image, sides, how = _build_both(world, request)
    run = RunInfo(
        run_id=world.run_id,
        started_at=world.clock.utc_stamp(),
        kind="compare",
        load=request.settings.load,
        caps=request.settings.caps,
        levels=request.settings.levels,
        blocks=request.settings.blocks,
        sides=sides,
        purity=find_purity(*sides),
        how=how,
        box=_describe_box(world, base_image.name, request.settings.caps),
    )
    base, branch = sides
    name = f"{'-'.join(run.arms)}-{(base.commit or '')[:7]}-{(branch.commit or '')[:7]}"
    return _climb(world, run, name)


def ramp(world: World, request: Request, image: str | None) -> str:
    """Ramp one build until it breaks, write the results, and return the table.

    Args:
        world: The adapters.
        request: What is asked for; of the two sides the branch's arm and environment count.
        image: A build that is there already; None builds the working tree.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    _clear_leftovers(world)
    drive = request.drives[Side.BRANCH]
    if image is None:
        side, base_name = _build_one(world, request.settings.base_image, drive)
    else:
        side, base_name = describe_image(world.box, image, drive), f"that of {image}"
    run = RunInfo(
        run_id=world.run_id,
        started_at=world.clock.utc_stamp(),
        kind="ramp",
        load=request.settings.load,
        caps=request.settings.caps,
        levels=request.settings.levels,
        blocks=1,
        sides=(side,),
        purity=None,
        how="one build",
        box=_describe_box(world, base_name, request.settings.caps),
    )
    short = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:7]
    return _climb(world, run, f"{side.arm}-ramp-{short}")


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
    chosen = choose_goals(only)
    _clear_leftovers(world)
    drives = drives_of(chosen)
    side, base_name = _build_one(world, request.settings.base_image, drives[0])
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
        box=_describe_box(world, base_name, REFERENCE_CAPS),
        goals=tuple(goal.key for goal in chosen),
    )
    said, folder = _measure(
        world,
        run,
        f"goals-{(side.commit or '')[:7]}",
        lambda writer: GoalRun(world.box, world.clock, world.progress, writer, run, chosen).go(),
    )
    world.progress.say(f"results in {folder}")
    return render_goals(said)


def build(world: World, request: Request) -> str:
    """Build both sides, and return which image each one is."""
    _clear_leftovers(world)
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
    world.box.trim()
    return "\n".join(f"{side}: {found.how}" for side, found in builds.items())


def show_plan(world: World, request: Request) -> str:
    """Return what `compare` would do: refs, hashes, images, and the cells in order. Nothing is built or run."""
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        located = {
            side: world.box.locate(tree, base_image=base_image)
            for side, tree in sides.trees.items()
        }
        builds = {side: Build(image=tag, how="") for side, (tag, _) in located.items()}
        infos = describe_sides(sides, builds, base_image, request.drives)
    plan = Plan(levels=request.settings.levels, blocks=request.settings.blocks, sides=tuple(Side))
    built = {side: there for side, (_, there) in located.items()}
    return plan_text(infos, find_purity(*infos), refs.how, built, planned_slots(plan))


def show_run(store: Store, folder: str) -> str:
    """Return the table of a stored run, derived again from its cells."""
    run, cells, complete = store.load(folder)
    if run.kind == "goals":
        return render_goals(find_goals(run, cells, complete=complete))
    return render(derive(run, cells, complete=complete))


def clean(world: World) -> str:
    """Remove what killed runs left, and return what that was."""
    removed = [*world.repo.prune(), *world.box.reap(), *world.box.trim()]
    return "\n".join(f"removed {name}" for name in removed) or "nothing was left behind"


def _clear_leftovers(world: World) -> None:
    for name in (*world.repo.prune(), *world.box.reap()):
        world.progress.say(f"removed {name}, left by a run that was killed")


def _describe_box(world: World, base_image: str, caps: Caps) -> BoxInfo:
    box = world.box.describe(base_image)
    if caps.cpus > box.host_cpus or caps.memory_bytes > box.host_memory_bytes:
        asked = f"{caps.cpus:g} CPUs and {show_bytes(caps.memory_bytes)}"
        there = f"{box.host_cpus} and {show_bytes(box.host_memory_bytes)}"
        msg = f"the box is to have {asked}, and its host at {box.endpoint} has {there}"
        raise UsageError(msg, hint="a cap above the host caps nothing; ask for less")
    return box


def _tidy(world: World) -> None:
    """Remove what a run made; an engine that refuses to must not take the run's result with it."""
    world.progress.say("removing what the cells wrote")
    try:
        world.box.reap(world.run_id)
        world.box.trim()
    except NoBoxError as error:
        world.progress.say(f"{error}; `invoke clean` removes what is left")


def _build_both(
    world: World, request: Request
) -> tuple[BaseImage, tuple[SideInfo, SideInfo], str]:
    refs = world.repo.find_sides(base=request.base, main=request.main)
    dirty = " with uncommitted changes" if refs.dirty else ""
    world.progress.say(f"base   {refs.base[:7]} {refs.base_title}  ({refs.how})")
    world.progress.say(f"branch {refs.branch[:7]} {refs.branch_title}{dirty}")
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
        infos = describe_sides(sides, builds, base_image, request.drives)
    for side, found in builds.items():
        world.progress.say(f"{side:<6} {found.how}")
    base, branch = infos
    arms = f" ({base.arm} and {branch.arm})" if base.arm is not branch.arm else ""
    world.progress.say(f"compared: {find_purity(base, branch)}{arms}")
    return base_image, infos, refs.how


def _build_one(world: World, wanted: str, drive: Drive) -> tuple[SideInfo, str]:
    """Build the working tree; return what it was built from, and the name of the image it stands on."""
    base_image = world.box.find_base_image(wanted)
    side, how = build_working_tree(world.box, world.repo, base_image, drive)
    world.progress.say(f"build  {how}")
    return side, base_image.name


def _climb(world: World, run: RunInfo, name: str) -> str:
    """Go up the ladder of a comparison or a ramp, and return its table."""
    comparison, folder = _measure(
        world,
        run,
        name,
        lambda writer: Run(world.box, world.clock, world.progress, writer, run).go(),
    )
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    world.progress.say(f"results in {folder}")
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the warnings under the table, then run it again")
    return render(comparison)


def _measure(
    world: World, run: RunInfo, name: str, loop: Callable[[RunWriter], Said]
) -> tuple[Said, str]:
    """Run a loop over cells; return what they say, and the folder in which it is."""
    caps = run.caps
    world.progress.say(
        f"box    {run.box.box}, {run.box.engine}: {caps.cpus:g} CPU, {show_bytes(caps.memory_bytes)}, no swap, "
        f"no network, {caps.timeout_s:g} s a cell"
    )
    writer = world.store.open_run(run, name)
    try:
        return loop(writer), writer.folder
    except KeyboardInterrupt:
        if writer.holds_cells:
            world.progress.say(f"what was measured is in {writer.folder}")
        raise
    finally:
        _tidy(world)
