"""The use cases: compare two sides, ramp one build, show the plan or a stored run, clean up."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.compare import compare as derive
from harness.config import Settings
from harness.errors import DisturbedError, NoBoxError, UsageError
from harness.model import BoxInfo, Caps, Drive, Outcome, RunInfo, Side, SideInfo
from harness.plan import Plan, planned_slots
from harness.ports import BaseImage, Box, Build, Clock, Progress, Repo, Store
from harness.report import plan_text, render
from harness.run import Run
from harness.sides import build_sides, checked_out, describe_sides, find_purity
from harness.units import show_bytes


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
    return _measure(world, run, name)


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
    side, base_name = _one_side(world, request, image)
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
    return _measure(world, run, f"{side.arm}-ramp-{short}")


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


def _one_side(world: World, request: Request, image: str | None) -> tuple[SideInfo, str]:
    drive = request.drives[Side.BRANCH]
    if image is not None:
        found = world.box.find_build(image)
        info = SideInfo(
            side=Side.BRANCH,
            arm=drive.arm,
            commit=None,
            title=image,
            dirty=None,
            subject=None,
            gauge=None,
            tree=None,
            image=found.image,
            environment=drive.environment,
        )
        return info, f"that of {image}"
    refs = world.repo.find_sides(base="HEAD", main=None)
    base_image = world.box.find_base_image(request.settings.base_image)
    tree = world.repo.branch_tree()
    found = world.box.build(tree, base_image=base_image, side=Side.BRANCH)
    world.progress.say(f"build  {found.how}")
    info = SideInfo(
        side=Side.BRANCH,
        arm=drive.arm,
        commit=refs.branch,
        title=refs.branch_title,
        dirty=refs.dirty,
        subject=tree.subject_hash,
        gauge=tree.gauge_hash,
        tree=tree.hash_on(base_image.id),
        image=found.image,
        environment=drive.environment,
    )
    return info, base_image.name


def _measure(world: World, run: RunInfo, name: str) -> str:
    caps = run.caps
    world.progress.say(
        f"box    {run.box.box}, {run.box.engine}: {caps.cpus:g} CPU, {show_bytes(caps.memory_bytes)}, no swap, "
        f"no network, {caps.timeout_s:g} s a cell"
    )
    writer = world.store.open_run(run, name)
    try:
        comparison = Run(world.box, world.clock, world.progress, writer, run).go()
    except KeyboardInterrupt:
        if writer.holds_cells:
            world.progress.say(f"what was measured is in {writer.folder}")
        raise
    finally:
        _tidy(world)
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    world.progress.say(f"results in {writer.folder}")
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {writer.folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the warnings under the table, then run it again")
    return render(comparison)
