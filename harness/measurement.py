"""The cells of a run, and what is said and tidied around them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from harness.compare import Comparison
from harness.errors import DisturbedError, NoBoxError
from harness.goals import GoalTable
from harness.model import Cell, Outcome, RunInfo
from harness.ports import RunWriter
from harness.report import render, show_caps
from harness.run import Run
from harness.world import World

_HOW_TO_READ = "what the columns and outcomes mean: README.md, “How to read the table”"
Said = TypeVar("Said", Comparison, GoalTable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A run that is ready for its next cell.

    Args:
        run: What is settled.
        writer: Where its cells go.
        kept: Those that it has already, in the order in which they ran.
    """

    run: RunInfo
    writer: RunWriter
    kept: tuple[Cell, ...] = ()


def open_new(world: World, run: RunInfo, name: str) -> Opened:
    """Make ready for a run that has no cells yet."""
    return Opened(run=run, writer=world.store.open_run(run, name))


def climb(world: World, opened: Opened) -> str:
    """Go up the ladder of a comparison or a ramp, and return its table."""
    with tidied(world):
        comparison, folder = run_ladder(world, opened)
    world.progress.say(f"results in {folder}")
    world.progress.say(_HOW_TO_READ)
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the invalid cells under the table, then run it again")
    return render(comparison)


def run_ladder(world: World, opened: Opened) -> tuple[Comparison, str]:
    """Run the cells of a comparison or a ramp, and tell each side's knee; return what they say, and where it is.

    What the cells wrote is left, to be `tidied`.
    """
    comparison, folder = measure(
        world,
        opened,
        lambda: Run(
            world.box, world.clock, world.progress, opened.writer, opened.run, opened.kept
        ).go(),
    )
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    return comparison, folder


def measure(world: World, opened: Opened, loop: Callable[[], Said]) -> tuple[Said, str]:
    """Run a loop over cells; return what they say, and the folder in which it is."""
    world.progress.say(f"cells  {show_caps(opened.run.caps, opened.run.box)}")
    writer = opened.writer
    try:
        return loop(), writer.folder
    except KeyboardInterrupt:
        if writer.holds_cells:
            goes_on = f"`invoke {opened.run.kind} --resume {writer.folder}` goes on with it"
            world.progress.say(f"what was measured is in {writer.folder}; {goes_on}")
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
