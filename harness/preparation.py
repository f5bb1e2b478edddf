"""What comes before the first cell: leftovers cleared, sides built, the box looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.errors import UsageError
from harness.model import BoxInfo, Caps, Drive, RunInfo, Side, SideInfo
from harness.ports import BaseImage
from harness.report import show_title
from harness.sides import (
    build_sides,
    build_working_tree,
    checked_out,
    describe_sides,
    find_purity,
)
from harness.tree import Tree
from harness.units import show_bytes
from harness.world import Request, World


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
