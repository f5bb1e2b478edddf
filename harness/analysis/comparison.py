"""The comparison of two series of cells, with doubts about the data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.levels import (
    Capacity,
    find_capacity,
    find_knee,
    is_measured,
    measured_cells,
    pair_up,
    paired_values,
    pairs_at,
    passes,
    tried_levels,
)
from harness.analysis.slopes import fit_lines
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
    """One level.

    Args:
        cells: Each side's measured cells.
        ratios: By metric, over `pairs`.
        pairs: (base, branch) that both ended ok; empty where a side does not pass.
    """

    level: int
    cells: dict[Side, list[Cell]]
    ratios: dict[str, Estimate]
    pairs: tuple[tuple[Cell, Cell], ...]

    def passed(self, side: Side) -> bool:
        """Return whether a side passes this level."""
        return passes(self.cells[side])


@dataclass(frozen=True, slots=True)
class DataWarning:
    """A doubt about the data, with its consequence."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The numbers of a run.

    Args:
        cells: All measured cells, in the order of the run.
        rows: By level, ascending.
        lines: By metric and side, fitted over the ok cells.
        invalid: Cells that are excluded from all of the above.
        order: The places of all cells but those of the check, in the order of the run.
        reruns: The second runs of invalid cells.
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
        """The marginal cost of a session, by metric and side."""
        return {
            name: {side: line.slope for side, line in by_side.items()}
            for name, by_side in self.lines.items()
        }

    def name_of(self, side: Side) -> str:
        """Return the name of a side, see `RunInfo.name_of`."""
        return self.run.name_of(side)


def compare(
    run: RunInfo, cells: Sequence[Cell], *, complete: bool, shortfalls: Sequence[DataWarning] = ()
) -> Comparison:
    """Derive the comparison of a run.

    Args:
        run: As settled before the first cell.
        cells: In the order of the run.
        complete: True if the plan was run to its end.
        shortfalls: Warnings about pairs that the budget did not pay for.
    """
    sides = tuple(info.side for info in run.sides)
    levels = sorted({*run.plan.levels, *tried_levels(cells)})
    texts = (
        *_doubts(run, cells),
        *([] if complete else ["the run was interrupted: missing levels were not run"]),
    )
    return Comparison(
        run=run,
        cells=tuple(cell for cell in cells if is_measured(cell)),
        rows=tuple(_row(cells, level, sides) for level in levels),
        knees={side: find_knee(cells, side) for side in sides},
        capacities={side: find_capacity(cells, side, run.plan.objective) for side in sides},
        lines={metric.name: fit_lines(metric, run, cells) for metric in METRICS},
        warnings=(*(DataWarning(text) for text in texts), *shortfalls),
        invalid=tuple(cell for cell in cells if cell.outcome is Outcome.INVALID),
        order=tuple(cell.slot for cell in cells if cell.slot.phase is not Phase.CHECK),
        complete=complete,
        reruns=tuple(cell for cell in cells if cell.slot.attempt > 0),
    )


def _row(cells: Sequence[Cell], level: int, sides: Sequence[Side]) -> Row:
    by_side = {side: measured_cells(cells, side, level) for side in sides}
    both_pass = all(passes(here) for here in by_side.values())
    pairs = tuple(pairs_at(cells, level)) if both_pass else ()
    values = {metric.name: paired_values(pairs, metric) for metric in METRICS}
    ratios = {name: ratio_of_pairs(paired) for name, paired in values.items() if paired}
    return Row(level=level, cells=by_side, ratios=ratios, pairs=pairs)


def _doubts(run: RunInfo, cells: Sequence[Cell]) -> Iterator[str]:
    yield from run.box.warnings
    session_s, timeout_s = run.load.nominal_session_s, run.caps.timeout_s
    if session_s >= timeout_s:
        yield (
            f"a session takes at least {show_seconds(session_s)} and a cell may take "
            f"{show_seconds(timeout_s)}: no level can pass"
        )
    yield from _interrupted_pairs(run, cells)
    yield from _confounded(run)
    yield from _lag_doubts(run, cells)


def _confounded(run: RunInfo) -> Iterator[str]:
    """Yield a warning where several things differ between the sides."""
    values: dict[str, set[object]] = {
        "the runtime": {info.subject for info in run.sides},
        "the arm": {info.drive.arm for info in run.sides},
        "the environment": {tuple(sorted(info.drive.environment.items())) for info in run.sides},
    }
    differ = [name for name, distinct in values.items() if len(distinct) > 1]
    if len(differ) > 1:
        names = f"both {' and '.join(differ)}" if len(differ) == 2 else ", ".join(differ)
        yield f"{names} differ: the cause of a difference stays unknown"


def _lag_doubts(run: RunInfo, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield a warning for each measured cell with unexplained late tokens."""
    for cell in filter(is_measured, cells):
        result, side = cell.result, cell.slot.side
        if result is None:
            continue
        where = f"C={cell.slot.level:,} {run.name_of(side) if len(run.sides) > 1 else side}"
        if lag := explain_idle_lag(result, run.caps):
            yield f"{where}: {lag}"
        elif result.arm == "hand" and (lag_ms := result.mock_lag_p99_ms or 0.0) > LAG_LIMIT_MS:
            yield (
                f"{where}: the simulated model was {lag_ms:,.0f} ms late (99th percentile) "
                "without a runtime: the box is too small for this level"
            )


def _interrupted_pairs(run: RunInfo, cells: Sequence[Cell]) -> Iterator[str]:
    """Yield a warning for each pair with a cell before and one after a resume."""
    valid = (cell for cell in cells if cell.outcome is not Outcome.INVALID)
    for (level, block, pair), both in pair_up(valid).items():
        first, second = sorted(cell.started_at for cell in both)
        for stamp in run.resumed:
            if first < stamp <= second:
                yield (
                    f"C={show_count(level)}, block {block + 1}, pair {pair + 1}: the run was "
                    f"interrupted between its two cells and resumed at {stamp}"
                )
