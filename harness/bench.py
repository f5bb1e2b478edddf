"""The use cases: compare two sides, ramp one build, measure the goals, show the plan or a stored run, clean up."""

from collections.abc import Callable, Iterable

from msgspec import structs

from harness.compare import Comparison
from harness.goal_run import GoalRun
from harness.goals import (
    GOALS,
    REFERENCE_CAPS,
    REFERENCE_LOAD,
    choose_goals,
    drives_of,
)
from harness.measurement import Opened, climb, measure, open_new, tidied
from harness.model import RunInfo, Side
from harness.plan import Plan
from harness.ports import Box, Build, Repo, Store
from harness.preparation import build_one, clear_leftovers, describe_box, prepare_comparison
from harness.record import derive
from harness.report import plan_text, render, render_goals
from harness.resume import resume, show_rest
from harness.sides import build_sides, checked_out, describe_image, describe_sides, find_purity
from harness.world import Request, World


def compare(world: World, request: Request) -> str:
    """Build both sides, ramp them side by side, write the results, and return the table.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    if request.resume is not None:
        return climb(world, resume(world, request.resume, "compare"))
    run, name, _ = prepare_comparison(world, request)
    return climb(world, open_new(world, run, name))


def ramp(world: World, request: Request, image: str | None) -> str:
    """Ramp one build until it breaks, write the results, and return the table.

    Args:
        world: The adapters.
        request: What is asked for; of the two sides the branch's arm and environment count.
        image: A build that is there already; None builds the working tree.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    if request.resume is not None:
        return climb(world, resume(world, request.resume, "ramp"))
    clear_leftovers(world)
    drive = request.drives[Side.BRANCH]
    if image is None:
        side, base_name = build_one(world, request.settings.base_image, drive)
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
        box=describe_box(world, base_name, request.settings.caps),
    )
    short = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:7]
    return climb(world, open_new(world, run, f"{side.arm}-ramp-{short}"))


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


def build(world: World, request: Request) -> str:
    """Build both sides, and return which image each one is."""
    clear_leftovers(world)
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
    world.box.trim()
    return "\n".join(f"{side}: {found.how}" for side, found in builds.items())


def show_plan(world: World, request: Request) -> str:
    """Return what `compare` would do: refs, hashes, images, and the cells in order. Nothing is built or run."""
    if request.resume is not None:
        return show_rest(world, request.resume, "compare")
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        located = {
            side: world.box.locate(tree, base_image=base_image)
            for side, tree in sides.trees.items()
        }
        builds = {side: Build(image=tag, how="") for side, (tag, _) in located.items()}
        infos = describe_sides(sides, builds, base_image, request.drives)
    settings = request.settings
    plan = Plan(
        levels=settings.levels,
        blocks=settings.blocks,
        sides=tuple(Side),
        objective=settings.objective,
        warm_up=settings.warm_up,
        refine=settings.refine,
        pairs=settings.pairs,
        decision_levels=settings.decision_levels,
        budget_s=settings.budget_s,
    )
    built = {side: there for side, (_, there) in located.items()}
    return plan_text(infos, find_purity(*infos), refs.how, built, plan)


def show_run(store: Store, folder: str) -> str:
    """Return the table of a stored run, derived again from its cells."""
    run, cells, complete = store.load(folder)
    said = derive(run, cells, complete=complete)
    return render(said) if isinstance(said, Comparison) else render_goals(said)


def clean(
    repo: Repo, boxes: Iterable[Box], store: Store, prune_locks: Callable[[], list[str]]
) -> str:
    """Remove what killed runs left, and return what that was.

    Args:
        repo: Whose worktrees.
        boxes: All that work here, whichever a run was in.
        store: Whose half-written files.
        prune_locks: Removes the locks that nobody holds.
    """
    removed = [*repo.prune(), *store.prune(), *prune_locks()]
    for box in boxes:
        removed += [*box.reap(), *box.trim()]
    return "\n".join(f"removed {name}" for name in removed) or "nothing was left behind"
