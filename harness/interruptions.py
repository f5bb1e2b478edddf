"""Pairs of cells that an interruption of their run came between: what changed in the meantime is in their ratio."""

from collections.abc import Sequence

from harness.model import Cell, Outcome, RunInfo, Side
from harness.units import show_count


def interrupted_pairs(run: RunInfo, cells: Sequence[Cell]) -> list[str]:
    """Return a sentence for each pair of which one cell began before the run was resumed and the other after.

    Args:
        run: Says when it was resumed.
        cells: All that have been run, in order.
    """
    started: dict[tuple[int, int, int], dict[Side, str]] = {}
    for cell in cells:
        slot = cell.slot
        if slot.pair is not None and cell.outcome is not Outcome.INVALID:
            place = (slot.level, slot.block, slot.pair)
            started.setdefault(place, {})[slot.side] = cell.started_at
    return [
        f"C={show_count(level)}, block {block + 1}, pair {pair + 1}: the run was interrupted between its two cells "
        f"and resumed at {stamp}"
        for (level, block, pair), sides in started.items()
        for stamp in run.resumed
        if len(sides) > 1 and min(sides.values()) < stamp <= max(sides.values())
    ]
