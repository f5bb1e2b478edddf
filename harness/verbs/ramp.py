"""Ramp one build until it breaks."""

from msgspec import structs

from harness.model.nouns import Side
from harness.model.plan import Plan
from harness.model.request import Request
from harness.model.runs import RunInfo
from harness.verbs.ports import World
from harness.verbs.resume import resume
from harness.verbs.run import open_run, run_and_report
from harness.verbs.sides import build_one, clear_leftovers, describe_image, make_run_info


def ramp(world: World, request: Request, image: str | None) -> str:
    """Ramp one build until it breaks, write the results, and return the table.

    Args:
        request: Of the two sides the branch's drive counts.
        image: A build that exists already; None builds the working tree.

    Raises:
        HarnessError: See its subclasses; finished cells are on disk.
    """
    if request.resume is not None:
        return run_and_report(world, resume(world, request.resume, "ramp"))
    clear_leftovers(world)
    info = _prepare(world, request, image)
    (side,) = info.sides
    short = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:7]
    return run_and_report(world, open_run(world, info, f"{side.drive.arm}-ramp-{short}"))


def _prepare(world: World, request: Request, image: str | None) -> RunInfo:
    drive = request.drives[Side.BRANCH]
    if image is None:
        side, base_name = build_one(world, request.base_image, drive)
    else:
        side, base_name = describe_image(world.box, image, drive), f"that of {image}"
    info = make_run_info(world, request, (side,), how="one build", base_image=base_name)
    plan = Plan(levels=request.plan.levels, blocks=1, sides=(Side.BRANCH,))
    return structs.replace(info, kind="ramp", plan=plan)
