"""Compare two sides: build both, ramp them side by side, write the table."""

from collections.abc import Mapping

from harness.model.nouns import Side
from harness.model.request import Request
from harness.model.runs import RunInfo
from harness.model.tree import Tree
from harness.report.lines import show_title
from harness.report.plan import plan_text
from harness.verbs.ports import Build, World
from harness.verbs.resume import resume, show_rest
from harness.verbs.run import open_run, run_and_report
from harness.verbs.sides import (
    build_sides,
    checked_out,
    clear_leftovers,
    describe_sides,
    find_purity,
    make_run_info,
)


def compare(world: World, request: Request) -> str:
    """Build both sides, ramp them side by side, store the results, return the table.

    Raises:
        HarnessError: See its subclasses; finished cells are on disk.
    """
    if request.resume is not None:
        return run_and_report(world, resume(world, request.resume, "compare"))
    info, name, _ = prepare_comparison(world, request)
    return run_and_report(world, open_run(world, info, name))


def prepare_comparison(world: World, request: Request) -> tuple[RunInfo, str, Mapping[Side, Tree]]:
    """Remove leftovers and build both sides.

    Returns:
        The settled run, the name of its results, and both build contexts.

    Raises:
        HarnessError: See its subclasses; nothing was measured.
    """
    clear_leftovers(world)
    refs = world.repo.find_sides(base=request.base, main=request.main)
    dirty = " with uncommitted changes" if refs.dirty else ""
    world.progress.say(f"base   {refs.base[:7]} {show_title(refs.base_title)}  ({refs.how})")
    world.progress.say(f"branch {refs.branch[:7]} {show_title(refs.branch_title)}{dirty}")
    base_image = world.box.find_base_image(request.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
        base, branch = describe_sides(sides, builds, base_image, request.drives)
    for side, build in builds.items():
        world.progress.say(f"{side:<6} {build.how}")
    info = make_run_info(world, request, (base, branch), how=refs.how, base_image=base_image.name)
    arms = f" ({' and '.join(info.arms)})" if len(info.arms) > 1 else ""
    world.progress.say(f"compared: {info.purity}{arms}")
    name = f"{'-'.join(info.arms)}-{(base.commit or '')[:7]}-{(branch.commit or '')[:7]}"
    return info, name, sides.trees


def show_plan(world: World, request: Request) -> str:
    """Return refs, hashes, images and cells in order, without building or running."""
    if request.resume is not None:
        return show_rest(world, request.resume, "compare")
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        located = {
            side: world.box.locate(tree, base_image=base_image)
            for side, tree in sides.trees.items()
        }
        builds = {side: Build(image=tag, how="") for side, (tag, _) in located.items()}
        infos = describe_sides(sides, builds, base_image, request.drives)
    built = {side: exists for side, (_, exists) in located.items()}
    return plan_text(infos, find_purity(*infos), refs.how, built, request.plan)
