"""The cells of a run, and what is said and tidied around them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from harness.compare import Comparison
from harness.errors import DisturbedError, NoBoxError
from harness.goals import GoalTable
from harness.model import Outcome, RunInfo
from harness.ports import RunWriter
from harness.report import render, show_caps
from harness.run import Run
from harness.world import World

_HOW_TO_READ = "what the columns and outcomes mean: README.md, “How to read the table”"
Said = TypeVar("Said", Comparison, GoalTable)


def climb(world: World, run: RunInfo, name: str) -> str:
    """Go up the ladder of a comparison or a ramp, and return its table."""
    with tidied(world):
        comparison, folder = run_ladder(world, run, name)
    world.progress.say(f"results in {folder}")
    world.progress.say(_HOW_TO_READ)
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the invalid cells under the table, then run it again")
    return render(comparison)


def run_ladder(world: World, run: RunInfo, name: str) -> tuple[Comparison, str]:
    """Run the cells of a comparison or a ramp, and tell each side's knee; return what they say, and where it is.

    What the cells wrote is left, to be `tidied`.
    """
    comparison, folder = measure(
        world,
        run,
        name,
        lambda writer: Run(world.box, world.clock, world.progress, writer, run).go(),
    )
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    return comparison, folder


def measure(
    world: World, run: RunInfo, name: str, loop: Callable[[RunWriter], Said]
) -> tuple[Said, str]:
    """Run a loop over cells; return what they say, and the folder in which it is."""
    world.progress.say(f"cells  {show_caps(run.caps, run.box)}")
    writer = world.store.open_run(run, name)
    try:
        return loop(writer), writer.folder
    except KeyboardInterrupt:
        if writer.holds_cells:
            world.progress.say(f"what was measured is in {writer.folder}")
        raise
    finally:
        world.progress.rest()


@contextmanager
def tidied(world: World) -> Iterator[None]:
    """Remove, after the last cell, what all of them wrote: files that are removed between cells make the next ones dear.

    An engine that refuses to must not take the result with it.
    """
    try:
        yield
    finally:
        _tidy(world)


def _tidy(world: World) -> None:
    world.progress.say("removing what the cells wrote")
    try:
        world.box.reap(world.run_id)
        world.box.trim()
    except NoBoxError as error:
        world.progress.say(f"{error}; `invoke clean` removes what is left")
