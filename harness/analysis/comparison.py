"""Two series of cells into one comparison: rows, paired ratios, slopes, knees, and doubts about the data."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.levels import (
    Capacity,
    find_capacity,
    find_knee,
    ladder_cells,
    paired_values,
    pairs_at,
    passes,
    tried_levels,
)
from harness.analysis.slopes import lines_of
from harness.analysis.stats.lines import Line
from harness.analysis.stats.ratios import Estimate, ratio_of_pairs
from harness.model.cells import Cell, Knee, Slot
from harness.model.metrics import METRICS
from harness.model.nouns import Outcome, Phase, Side
from harness.model.runs import RunInfo
from harness.model.units import show_count, show_seconds
from harness.outcome.disturbance import LAG_LIMIT_MS, explain_idle_lag


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A level: each side's valid cells, its (base, branch) pairs that both ended ok, and the ratios of these by metric where both sides passed."""

    level: int
    cells: dict[Side, list[Cell]]
    ratios: dict[str, Estimate]
    pairs: tuple[tuple[Cell, Cell], ...] = ()

    def passed(self, side: Side) -> bool:
        """Whether a side passes here, see `harness.ramp.passes`."""
        return passes(self.cells[side])


@dataclass(frozen=True, slots=True)
class DataWarning:
    """A doubt about the data, and what to do about it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the cells of a run say.

    Args:
        cells: All that say something about their side, in the order in which they ran.
        rows: A row a level, ascending.
        knees: By side.
        capacities: By side.
        lines: By metric and side, over the cells that ended ok: the slope is what a session adds.
        invalid: Cells that say nothing about their side; they enter nothing above.
        reruns: The second runs of such cells, in the order in which they ran.
        order: The places of all cells, as they ran; those of the check, which are not kept, are not among them.
    """

    run: RunInfo
    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]
    knees: dict[Side, Knee]
    capacities: dict[Side, Capacity]
    lines: dict[str, dict[Side, Line]]
    warnings: tuple[DataWarning, ...]
    invalid: tuple[Cell, ...]
    order: tuple[Slot, ...]
    complete: bool
    reruns: tuple[Cell, ...] = ()

    @property
    def slopes(self) -> dict[str, dict[Side, Estimate]]:
        """Marginal costs: what a session adds, by metric and side."""
        return {
            name: {side: line.slope for side, line in by_side.items()}
            for name, by_side in self.lines.items()
        }

    def name_of(self, side: Side) -> str:
        """Return what to call a side: of one build alone there is nothing to tell it from."""
        return self.run.name_of(side)


def compare(
    run: RunInfo, cells: Sequence[Cell], *, complete: bool, shortfalls: Sequence[DataWarning] = ()
) -> Comparison:
    """Derive the comparison of a run from its cells.

    Args:
        run: What was settled before the first cell.
        cells: In the order in which they ran.
        complete: Whether the plan was run to its end.
        shortfalls: Warnings about pairs that a budget did not pay for.
    """
    sides = tuple(side.side for side in run.sides)
    levels = sorted({*run.plan.levels, *tried_levels(cells)})
    return Comparison(
        run=run,
        cells=tuple(
            cell
            for cell in cells
            if cell.slot.phase.counts and cell.outcome is not Outcome.INVALID
        ),
        rows=tuple(_row(cells, level, sides) for level in levels),
        knees={side: find_knee(cells, side) for side in sides},
        capacities={side: find_capacity(cells, side, run.plan.objective) for side in sides},
        lines={metric.name: lines_of(metric, run, cells) for metric in METRICS},
        warnings=(
            *_doubts(run, cells),
            *_unfinished(complete=complete),
            *shortfalls,
        ),
        invalid=tuple(cell for cell in cells if cell.outcome is Outcome.INVALID),
        order=tuple(cell.slot for cell in cells if cell.slot.phase is not Phase.CHECK),
        complete=complete,
        reruns=tuple(cell for cell in cells if cell.slot.attempt > 0),
    )


def _row(cells: Sequence[Cell], level: int, sides: Sequence[Side]) -> Row:
    by_side = {side: ladder_cells(cells, side, level) for side in sides}
    row = Row(level=level, cells=by_side, ratios={})
    if not all(row.passed(side) for side in sides):
        return row  # latency and cost are compared only where both sides pass
    pairs = tuple(pairs_at(cells, level))
    ratios = {}
    for metric in METRICS:
        measured = paired_values(pairs, metric)
        if measured:
            ratios[metric.name] = ratio_of_pairs(measured)
    return Row(level=level, cells=by_side, ratios=ratios, pairs=pairs)


def _doubts(run: RunInfo, cells: Sequence[Cell]) -> list[DataWarning]:
    doubts = [DataWarning(text) for text in run.box.warnings]
    if run.load.nominal_session_s >= run.caps.timeout_s:
        needs = (
            f"a session takes {show_seconds(run.load.nominal_session_s)} with nothing in its way"
        )
        text = f"{needs}, and a cell has {show_seconds(run.caps.timeout_s)}: no level can pass"
        doubts.append(DataWarning(text))
    doubts += [DataWarning(text) for text in interrupted_pairs(run, cells)]
    return [*doubts, *_mixed(run), *_lag_doubts(run, cells)]


def _where(run: RunInfo, cell: Cell) -> str:
    """Name a cell's place; a build that has no other side is the branch."""
    side = cell.slot.side
    return f"C={cell.slot.level:,} {run.name_of(side) if len(run.sides) > 1 else side}"


def _mixed(run: RunInfo) -> list[DataWarning]:
    """Two things that differ at once cannot be told apart."""
    values: dict[str, set[object]] = {
        "the runtime": {info.subject for info in run.sides},
        "the arm": {info.drive.arm for info in run.sides},
        "the environment": {tuple(sorted(info.drive.environment.items())) for info in run.sides},
    }
    differ = [name for name, found in values.items() if len(found) > 1]
    if len(differ) < 2:
        return []
    names = f"both {' and '.join(differ)}" if len(differ) == 2 else f"all of {', '.join(differ)}"
    return [DataWarning(f"{names} differ: this cannot say which of them did it")]


def _lag_doubts(run: RunInfo, cells: Sequence[Cell]) -> list[DataWarning]:
    """Tokens that come late measure the gauge, but for a subject that holds it up."""
    doubts = []
    for cell in cells:
        result = cell.result
        if result is None or not cell.slot.phase.counts or cell.outcome is Outcome.INVALID:
            continue
        late, lag_ms = explain_idle_lag(result, run.caps), result.mock_lag_p99_ms or 0.0
        if late:
            doubts.append(f"{_where(run, cell)}: {late}")
        elif result.arm == "hand" and lag_ms > LAG_LIMIT_MS:
            doubts.append(
                f"{_where(run, cell)}: the mock was {lag_ms:,.0f} ms late "
                "(99th percentile) in the floor itself: the box is too small for this level"
            )
    return [DataWarning(text) for text in doubts]


def _unfinished(*, complete: bool) -> list[DataWarning]:
    text = "the run was interrupted: levels that are missing were not tried"
    return [] if complete else [DataWarning(text)]


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
