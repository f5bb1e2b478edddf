"""The order of the cells of a goal run: every row once, then every row again."""

from collections.abc import Iterator, Sequence

from experiments.speed_goals.goal import LADDER_FROM, Goal
from harness.model.cells import Cell, Slot
from harness.model.nouns import Drive, Outcome, Phase, Side

_LADDER_STEPS = 5  # up to 1,024,000


def next_run(
    goals: Sequence[Goal], repeats: int, cells: Sequence[Cell]
) -> tuple[Slot, Drive] | None:
    """Return the next cell and its drive, or None at the end of the run.

    A cell that several goals read runs once per repeat. An invalid cell is retried once.

    Args:
        goals: In the order of their rows.
        repeats: Runs of each row, at least one.
        cells: The cells that have run, in order.
    """
    done = [cell for cell in cells if cell.slot.phase is not Phase.CHECK]
    for repeat in range(repeats):
        for drive, level in _rows(goals, repeat, done):
            tries = cells_at(done, drive, repeat, level)
            if not tries or (len(tries) == 1 and tries[0].outcome is Outcome.INVALID):
                slot = Slot(
                    side=Side.BRANCH, level=level, block=repeat, pair=None, attempt=len(tries)
                )
                return slot, drive
    return None


def cells_at(
    cells: Sequence[Cell], drive: Drive, repeat: int, level: int | None = None
) -> list[Cell]:
    """Return the cells of a repeat with a drive, at one level or at all, in order."""
    return [
        cell
        for cell in cells
        if cell.drive == drive and cell.slot.block == repeat and level in {None, cell.slot.level}
    ]


def _rows(goals: Sequence[Goal], repeat: int, done: Sequence[Cell]) -> Iterator[tuple[Drive, int]]:
    """Yield the cells of one repeat; ladders come last, as far as they are known."""
    for goal in goals:
        for level in () if goal.is_ladder else goal.levels:
            yield goal.drive, level
    for goal in goals:
        for step in range(_LADDER_STEPS if goal.is_ladder else 0):
            yield goal.drive, LADDER_FROM << step
            if not _has_held(cells_at(done, goal.drive, repeat, LADDER_FROM << step)):
                break


def _has_held(tries: Sequence[Cell]) -> bool:
    return bool(tries) and tries[-1].outcome is Outcome.OK
