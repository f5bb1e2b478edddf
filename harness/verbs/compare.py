"""The use cases: compare two sides, ramp one build, measure the goals, show the plan or a stored run, clean up."""

from harness.model.nouns import Side
from harness.model.plan import Plan
from harness.model.request import Request
from harness.report.plan import plan_text
from harness.verbs.ports import Build, World
from harness.verbs.resume import resume, show_rest
from harness.verbs.run import climb, open_new
from harness.verbs.sides import checked_out, describe_sides, find_purity, prepare_comparison


def compare(world: World, request: Request) -> str:
    """Build both sides, ramp them side by side, write the results, and return the table.

    Raises:
        HarnessError: As its subclasses say; whatever was measured by then is on disk.
    """
    if request.resume is not None:
        return climb(world, resume(world, request.resume, "compare"))
    run, name, _ = prepare_comparison(world, request)
    return climb(world, open_new(world, run, name))


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
