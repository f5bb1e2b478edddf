"""Two series of cells into one comparison: rows, paired ratios, slopes, knees, and doubts about the data."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.capacity import Capacity, find_capacity
from harness.limits import lines_of
from harness.metrics import METRICS
from harness.model import Cell, Knee, Outcome, RunInfo, Side
from harness.plan import CHECK_BLOCK
from harness.ramp import find_knee, ladder_cells, pairs_at
from harness.stats import Estimate, Line, ratio_of_pairs
from harness.units import show_seconds

LAG_LIMIT_MS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A level: each side's valid cells, its (base, branch) pairs that both ended ok, and the ratios of these by metric where both sides passed."""

    level: int
    cells: dict[Side, list[Cell]]
    ratios: dict[str, Estimate]
    pairs: tuple[tuple[Cell, Cell], ...] = ()

    def passed(self, side: Side) -> bool:
        """Whether all of a side's cells here ended ok, and there is one."""
        here = self.cells[side]
        return bool(here) and all(cell.outcome is Outcome.OK for cell in here)


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
    """

    run: RunInfo
    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]
    knees: dict[Side, Knee]
    capacities: dict[Side, Capacity]
    lines: dict[str, dict[Side, Line]]
    warnings: tuple[DataWarning, ...]
    invalid: tuple[Cell, ...]
    complete: bool

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


def compare(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> Comparison:
    """Derive the comparison of a run from its cells.

    Args:
        run: What was settled before the first cell.
        cells: In the order in which they ran.
        complete: Whether the plan was run to its end.
    """
    sides = tuple(side.side for side in run.sides)
    return Comparison(
        run=run,
        cells=tuple(
            cell
            for cell in cells
            if cell.slot.phase.counts and cell.outcome is not Outcome.INVALID
        ),
        rows=tuple(_row(cells, level, sides) for level in run.levels),
        knees={side: find_knee(cells, side, run.levels) for side in sides},
        capacities={side: find_capacity(cells, side, run.levels, run.objective) for side in sides},
        lines={metric.name: lines_of(metric, run, cells) for metric in METRICS},
        warnings=(*_doubts(run, cells), *_unfinished(complete=complete)),
        invalid=tuple(cell for cell in cells if cell.outcome is Outcome.INVALID),
        complete=complete,
    )


def _row(cells: Sequence[Cell], level: int, sides: Sequence[Side]) -> Row:
    by_side = {side: ladder_cells(cells, side, level) for side in sides}
    row = Row(level=level, cells=by_side, ratios={})
    if not all(row.passed(side) for side in sides):
        return row  # latency and cost are compared only where both sides pass
    pairs = tuple(pairs_at(cells, level))
    ratios = {}
    for metric in METRICS:
        measured = [
            (metric.read(base.result), metric.read(branch.result))
            for base, branch in pairs
            if base.result is not None and branch.result is not None
        ]
        positive = [(a, b) for a, b in measured if a is not None and b is not None and a > 0 < b]
        if positive:
            ratios[metric.name] = ratio_of_pairs(positive)
    return Row(level=level, cells=by_side, ratios=ratios, pairs=pairs)


def _doubts(run: RunInfo, cells: Sequence[Cell]) -> list[DataWarning]:
    doubts = [DataWarning(text) for text in run.box.warnings]
    if run.load.nominal_session_s >= run.caps.timeout_s:
        needs = (
            f"a session takes {show_seconds(run.load.nominal_session_s)} with nothing in its way"
        )
        text = f"{needs}, and a cell has {show_seconds(run.caps.timeout_s)}: no level can pass"
        doubts.append(DataWarning(text))
    for cell in cells:
        where = _where(run, cell)
        if cell.outcome is Outcome.INVALID:
            again = "run once more" if cell.slot.attempt == 0 else "that side stops here"
            doubts.append(DataWarning(f"{where}: invalid cell ({cell.reason}); {again}"))
    return [*doubts, *_mixed(run), *_lag_doubts(run, cells)]


def _where(run: RunInfo, cell: Cell) -> str:
    """Name a cell's place; a build that has no other side is the branch."""
    side = cell.slot.side
    return f"C={cell.slot.level:,} {run.name_of(side) if len(run.sides) > 1 else side}"


def _mixed(run: RunInfo) -> list[DataWarning]:
    """Two things that differ at once cannot be told apart."""
    values: dict[str, set[object]] = {
        "the runtime": {info.subject for info in run.sides},
        "the arm": {info.arm for info in run.sides},
        "the environment": {tuple(sorted(info.environment.items())) for info in run.sides},
    }
    differ = [name for name, found in values.items() if len(found) > 1]
    if len(differ) < 2:
        return []
    names = f"both {' and '.join(differ)}" if len(differ) == 2 else f"all of {', '.join(differ)}"
    return [DataWarning(f"{names} differ: this cannot say which of them did it")]


def _lag_doubts(run: RunInfo, cells: Sequence[Cell]) -> list[DataWarning]:
    """A floor whose tokens come late measures the gauge, not the subject."""
    return [
        DataWarning(
            f"{_where(run, cell)}: the mock was {cell.result.mock_lag_p99_ms:,.0f} ms late "
            "(99th percentile) in the floor itself: the box is too small for this level"
        )
        for cell in cells
        if cell.result is not None
        and cell.slot.block != CHECK_BLOCK
        and cell.result.arm == "hand"
        and (cell.result.mock_lag_p99_ms or 0) > LAG_LIMIT_MS
    ]


def _unfinished(*, complete: bool) -> list[DataWarning]:
    text = "the run was interrupted: levels that are missing were not tried"
    return [] if complete else [DataWarning(text)]
