"""Ramp one build until it breaks."""

from harness.model.nouns import Side
from harness.model.request import Request
from harness.model.runs import RunInfo
from harness.verbs.ports import World
from harness.verbs.resume import resume
from harness.verbs.run import climb, open_new
from harness.verbs.sides import build_one, clear_leftovers, describe_box, describe_image


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
