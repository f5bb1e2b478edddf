"""The sides of a run: checked out, built, described, and compared for purity."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from harness.model.cells import Result
from harness.model.errors import (
    BaseCannotRunError,
    BranchCannotRunError,
    DisturbedError,
    UsageError,
)
from harness.model.nouns import Caps, Drive, Purity, Side
from harness.model.request import Request
from harness.model.runs import BoxInfo, RunInfo, SideInfo
from harness.model.tree import SUBJECT, Tree
from harness.model.units import show_bytes
from harness.verbs.ports import BaseImage, Box, Build, Refs, Repo, World

CANNOT_RUN = {Side.BASE: BaseCannotRunError, Side.BRANCH: BranchCannotRunError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides, checked out: their commits and their build contexts."""

    refs: Refs
    trees: Mapping[Side, Tree]


def make_run_info(
    world: World,
    request: Request,
    sides: tuple[SideInfo, ...],
    *,
    how: str,
    base_image: str,
) -> RunInfo:
    """Return the settled run of a request, of kind `compare`.

    Raises:
        UsageError: The box would exceed its host.
    """
    return RunInfo(
        run_id=world.run_id,
        started_at=world.utc_stamp(),
        kind="compare",
        load=request.load,
        caps=request.caps,
        plan=request.plan,
        sides=sides,
        purity=find_purity(*sides) if len(sides) == len(Side) else None,
        how=how,
        box=describe_box(world, base_image, request.caps),
    )


@contextmanager
def checked_out(repo: Repo, refs: Refs, run_id: str) -> Iterator[Sides]:
    """Check both sides out for as long as the block runs.

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
    """Build both sides, the base first.

    Raises:
        BuildError: One does not build.
    """
    return {side: box.build(sides.trees[side], base_image=base_image, side=side) for side in Side}


def build_one(world: World, wanted: str, drive: Drive) -> tuple[SideInfo, str]:
    """Build the working tree; return its description and the name of its base image.

    Raises:
        BuildError: It does not build.
    """
    base_image = world.box.find_base_image(wanted)
    refs = world.repo.find_sides(base="HEAD", main=None)
    tree = world.repo.branch_tree()
    build = world.box.build(tree, base_image=base_image, side=Side.BRANCH)
    world.progress.say(f"build  {build.how}")
    sides = Sides(refs=refs, trees={Side.BRANCH: tree})
    return _describe(Side.BRANCH, sides, build, base_image, drive), base_image.name


def describe_sides(
    sides: Sides,
    builds: Mapping[Side, Build],
    base_image: BaseImage,
    drives: Mapping[Side, Drive],
) -> tuple[SideInfo, SideInfo]:
    """Return the description of each side, the base first."""
    base, branch = (
        _describe(side, sides, builds[side], base_image, drives[side]) for side in Side
    )
    return base, branch


def describe_image(box: Box, image: str, drive: Drive) -> SideInfo:
    """Return the description of a build that exists already.

    Raises:
        UsageError: There is no such build.
    """
    return SideInfo(
        side=Side.BRANCH,
        drive=drive,
        commit=None,
        title=image,
        dirty=None,
        subject=None,
        gauge=None,
        tree=None,
        image=box.find_build(image).image,
    )


def find_purity(base: SideInfo, branch: SideInfo) -> Purity:
    """Return what differs between the sides.

    Raises:
        DisturbedError: The probes differ, so that the measuring itself could differ.
    """
    if base.gauge != branch.gauge:
        msg = "the two sides were built with different probes"
        raise DisturbedError(msg, hint="this is a fault of the bench: please report it")
    if base.subject != branch.subject:
        return Purity.CHANGE
    return Purity.AA if base.drive == branch.drive else Purity.SETTINGS


def foreign_subject(result: Result | None, side: SideInfo) -> str:
    """Describe foreign code that a cell loaded; empty if it loaded its side's own."""
    loaded = result.subject if result is not None else None
    if loaded is None or side.subject is None or loaded.hash == side.subject:
        return ""
    return (
        f"it loaded a runtime with hash {loaded.hash[:12]} from {loaded.path}, "
        f"and the tree of the {side.side} has {side.subject[:12]}"
    )


def clear_leftovers(world: World) -> None:
    """Remove what killed runs left, and report it."""
    for name in (*world.repo.prune(), *world.store.prune(), *world.box.reap()):
        world.progress.say(f"removed {name}, left by a run that was killed")


def describe_box(world: World, base_image: str, caps: Caps) -> BoxInfo:
    """Return where the cells will run.

    Raises:
        UsageError: The box would exceed its host.
    """
    box = world.box.describe(base_image)
    if caps.cpus > box.host_cpus or caps.memory_bytes > box.host_memory_bytes:
        wanted = f"{caps.cpus:g} CPUs and {show_bytes(caps.memory_bytes)}"
        there = f"{box.host_cpus} and {show_bytes(box.host_memory_bytes)}"
        msg = f"the box is to have {wanted}, but its host at {box.endpoint} has {there}"
        raise UsageError(msg, hint="a cap above the host caps nothing; ask for less")
    return box


def _describe(
    side: Side, sides: Sides, build: Build, base_image: BaseImage, drive: Drive
) -> SideInfo:
    refs, tree = sides.refs, sides.trees[side]
    is_base = side is Side.BASE
    return SideInfo(
        side=side,
        drive=drive,
        commit=refs.base if is_base else refs.branch,
        title=refs.base_title if is_base else refs.branch_title,
        dirty=None if is_base else refs.dirty,
        subject=tree.subject_hash,
        gauge=tree.gauge_hash,
        tree=tree.hash_on(base_image.id),
        image=build.image,
    )
