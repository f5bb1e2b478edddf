"""The parts of a run that do not depend on latencies."""

import re
from collections.abc import Sequence

from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome

_VARIES = re.compile(r"[\d.,]+× latency-infl")
_KEPT = ("- base: ", "- branch: ")


def places(cells: Sequence[Cell]) -> set[Slot]:
    """Return the slots of valid cells, without the number of the attempt."""
    return {
        Slot(
            side=cell.slot.side,
            level=cell.slot.level,
            block=cell.slot.block,
            pair=cell.slot.pair,
            phase=cell.slot.phase,
        )
        for cell in cells
        if cell.outcome is not Outcome.INVALID
    }


def measured_twice(cells: Sequence[Cell]) -> list[Slot]:
    """Return slots with more than one valid cell, or with a repeated attempt."""
    valid = [cell for cell in cells if cell.outcome is not Outcome.INVALID]
    doubled = [cell.slot for cell in cells if [c.slot for c in cells].count(cell.slot) > 1]
    return doubled if len(places(valid)) == len(valid) else [cell.slot for cell in valid]


def frame(table: str) -> str:
    """Return the rows and knees of a table, without latencies."""
    lines = table.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("|")), len(lines))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append(re.sub(r"[-\s]+", " ", _VARIES.sub("× latency-infl", line)))
    knees = [line for line in lines if line.startswith(_KEPT) and "knee" in line]
    return "\n".join([*rows, *knees])
