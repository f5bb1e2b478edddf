"""Compare two sides: build both, ramp them side by side, write the table."""

from harness.model.request import Request
from harness.report.plan import plan_text
from harness.verbs.ports import Build, World
from harness.verbs.resume import resume, show_rest
from harness.verbs.run import open_run, run_and_report
from harness.verbs.sides import checked_out, describe_sides, find_purity, prepare_comparison


def compare(world: World, request: Request) -> str:
    """Build both sides, ramp them side by side, store the results, return the table.

    Raises:
        HarnessError: See its subclasses; finished cells are on disk.
    """
    if request.resume is not None:
        return run_and_report(world, resume(world, request.resume, "compare"))
    info, name, _ = prepare_comparison(world, request)
    return run_and_report(world, open_run(world, info, name))


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
