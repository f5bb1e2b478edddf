"""What is built for each side of a comparison, and the proof of what differs between the two."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from harness.model.cells import Result
from harness.model.errors import (
    BaseCannotRunError,
    BranchCannotRunError,
    DisturbedError,
    UsageError,
)
from harness.model.nouns import Caps, Purity, Side
from harness.model.request import Request
from harness.model.nouns import Drive
from harness.model.runs import BoxInfo, RunInfo, SideInfo
from harness.model.tree import SUBJECT, Tree
from harness.model.units import show_bytes
from harness.report.lines import show_title
from harness.verbs.ports import BaseImage, Box, Build, Refs, Repo, World

MARKS = {Side.BASE: BaseCannotRunError, Side.BRANCH: BranchCannotRunError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides, checked out.

    Args:
        trees: The build context of each.
    """

    refs: Refs
    trees: Mapping[Side, Tree]


@contextmanager
def checked_out(repo: Repo, refs: Refs, run_id: str) -> Iterator[Sides]:
    """Give both trees for as long as the worktree of the base stands.

    Raises:
        BranchCannotRunError: The branch has no bench or no runtime.
        BaseCannotRunError: The base has no runtime.
    """
    branch = repo.branch_tree()
    for path, what in (("harness/probe", "bench"), ("Dockerfile", "bench"), (SUBJECT, "runtime")):
        if not branch.holds(path):
            msg = f"the branch holds no {path}, so it has no {what} to run"
            raise BranchCannotRunError(
                msg, hint="run it in a checkout that does, or name one with --repo"
            )
    with repo.base_tree(refs, run_id) as base:
        if not base.holds(SUBJECT):
            msg = f"the base {refs.base[:7]} holds no {SUBJECT}, so there is no runtime to measure"
            raise BaseCannotRunError(msg, hint="name a base that has one with --base REF")
        yield Sides(refs=refs, trees={Side.BASE: base, Side.BRANCH: branch})


def build_sides(box: Box, sides: Sides, base_image: BaseImage) -> dict[Side, Build]:
    """Build both, the base first.

    Raises:
        BuildError: One does not build.
    """
    return {side: box.build(sides.trees[side], base_image=base_image, side=side) for side in Side}


def describe_sides(
    sides: Sides,
    builds: Mapping[Side, Build],
    base_image: BaseImage,
    drives: Mapping[Side, Drive],
) -> tuple[SideInfo, SideInfo]:
    """Return what each side was built from, the base first."""
    base, branch = (
        SideInfo(
            side=side,
            arm=drives[side].arm,
            commit=sides.refs.base if side is Side.BASE else sides.refs.branch,
            title=sides.refs.base_title if side is Side.BASE else sides.refs.branch_title,
            dirty=None if side is Side.BASE else sides.refs.dirty,
            subject=sides.trees[side].subject_hash,
            gauge=sides.trees[side].gauge_hash,
            tree=sides.trees[side].hash_on(base_image.id),
            image=builds[side].image,
            environment=dict(drives[side].environment),
        )
        for side in Side
    )
    return base, branch


def build_working_tree(
    box: Box, repo: Repo, base_image: BaseImage, drive: Drive
) -> tuple[SideInfo, str]:
    """Build the checkout as it is; return what it was built from, and which image it is, for people.

    Raises:
        BuildError: It does not build.
    """
    refs = repo.find_sides(base="HEAD", main=None)
    tree = repo.branch_tree()
    found = box.build(tree, base_image=base_image, side=Side.BRANCH)
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
    return info, found.how


def describe_image(box: Box, image: str, drive: Drive) -> SideInfo:
    """Return what is known of a build that is there already.

    Raises:
        UsageError: There is none of that name.
    """
    return SideInfo(
        side=Side.BRANCH,
        arm=drive.arm,
        commit=None,
        title=image,
        dirty=None,
        subject=None,
        gauge=None,
        tree=None,
        image=box.find_build(image).image,
        environment=drive.environment,
    )


def find_purity(base: SideInfo, branch: SideInfo) -> Purity:
    """Say what differs between the sides.

    Raises:
        DisturbedError: Two gauges: what differs could be the measuring itself.
    """
    if base.gauge != branch.gauge:
        msg = "the two sides were built with different probes"
        raise DisturbedError(msg, hint="this is a fault of the bench: please report it")
    if base.subject != branch.subject:
        return Purity.CHANGE
    same = (base.arm, base.environment) == (branch.arm, branch.environment)
    return Purity.AA if same else Purity.SETTINGS


def foreign_subject(result: Result | None, side: SideInfo) -> str:
    """Say which other code a cell of a side ran; empty when it ran its own, or cannot tell."""
    loaded = result.subject if result is not None else None
    if loaded is None or side.subject is None or loaded.hash == side.subject:
        return ""
    return (
        f"it loaded a runtime with hash {loaded.hash[:12]} from {loaded.path}, "
        f"and the tree of the {side.side} has {side.subject[:12]}"
    )


def prepare_comparison(
    world: World, request: Request, kind: Literal["compare", "gate"] = "compare"
) -> tuple[RunInfo, str, Mapping[Side, Tree]]:
    """Clear leftovers and build both sides; return what is then settled, the name of the results, and both trees.

    Raises:
        HarnessError: As its subclasses say; nothing was measured.
    """
    clear_leftovers(world)
    built = build_both(world, request)
    run = RunInfo(
        run_id=world.run_id,
        started_at=world.clock.utc_stamp(),
        kind=kind,
        load=request.settings.load,
        caps=request.settings.caps,
        levels=request.settings.levels,
        blocks=request.settings.blocks,
        objective=request.settings.objective,
        warm_up=request.settings.warm_up,
        refine=request.settings.refine,
        pairs=request.settings.pairs,
        decision_levels=request.settings.decision_levels,
        budget_s=request.settings.budget_s,
        sides=built.sides,
        purity=find_purity(*built.sides),
        how=built.how,
        box=describe_box(world, built.base_image.name, request.settings.caps),
    )
    base, branch = built.sides
    name = f"{'-'.join(run.arms)}-{(base.commit or '')[:7]}-{(branch.commit or '')[:7]}"
    return run, name, built.trees


def clear_leftovers(world: World) -> None:
    """Remove what killed runs left, and tell of it."""
    for name in (*world.repo.prune(), *world.store.prune(), *world.box.reap()):
        world.progress.say(f"removed {name}, left by a run that was killed")


def describe_box(world: World, base_image: str, caps: Caps) -> BoxInfo:
    """Return where the cells will run.

    Raises:
        UsageError: The box is to have more than its host does.
    """
    box = world.box.describe(base_image)
    if caps.cpus > box.host_cpus or caps.memory_bytes > box.host_memory_bytes:
        asked = f"{caps.cpus:g} CPUs and {show_bytes(caps.memory_bytes)}"
        there = f"{box.host_cpus} and {show_bytes(box.host_memory_bytes)}"
        msg = f"the box is to have {asked}, and its host at {box.endpoint} has {there}"
        raise UsageError(msg, hint="a cap above the host caps nothing; ask for less")
    return box


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Both sides, built.

    Args:
        base_image: What they stand on.
        sides: What each was built from, the base first.
        trees: The same as files.
        how: How the base was chosen.
    """

    base_image: BaseImage
    sides: tuple[SideInfo, SideInfo]
    trees: Mapping[Side, Tree]
    how: str


def build_both(world: World, request: Request) -> Built:
    """Build both sides, and tell what they are.

    Raises:
        HarnessError: One does not build, or there is nothing to build.
    """
    refs = world.repo.find_sides(base=request.base, main=request.main)
    dirty = " with uncommitted changes" if refs.dirty else ""
    world.progress.say(f"base   {refs.base[:7]} {show_title(refs.base_title)}  ({refs.how})")
    world.progress.say(f"branch {refs.branch[:7]} {show_title(refs.branch_title)}{dirty}")
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
        infos = describe_sides(sides, builds, base_image, request.drives)
    for side, found in builds.items():
        world.progress.say(f"{side:<6} {found.how}")
    base, branch = infos
    arms = f" ({base.arm} and {branch.arm})" if base.arm is not branch.arm else ""
    world.progress.say(f"compared: {find_purity(base, branch)}{arms}")
    return Built(base_image=base_image, sides=infos, trees=sides.trees, how=refs.how)


def build_one(world: World, wanted: str, drive: Drive) -> tuple[SideInfo, str]:
    """Build the working tree; return what it was built from, and the name of the image it stands on."""
    base_image = world.box.find_base_image(wanted)
    side, how = build_working_tree(world.box, world.repo, base_image, drive)
    world.progress.say(f"build  {how}")
    return side, base_image.name
