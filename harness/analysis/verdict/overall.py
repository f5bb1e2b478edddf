"""All verdicts of a comparison, and the one line that says what they come to."""

from collections.abc import Mapping, Sequence

from harness.analysis.comparison import Comparison, Row
from harness.analysis.levels import ladder_cells, paired_values
from harness.analysis.verdict.brackets import Bracket, judge_bracket, make_bracket
from harness.analysis.verdict.estimated import Paired, judge_estimated
from harness.analysis.verdict.exact import judge_counted, judge_outcomes, judge_threads
from harness.analysis.verdict.headline import write_headline
from harness.analysis.verdict.kinds import (
    BRACKETS,
    CAPACITY,
    KNEE,
    MetricVerdict,
    OverallVerdict,
    Verdict,
)
from harness.model.cells import Cell
from harness.model.gate import DEFAULT_MARGINS, Margin, NoiseFloor
from harness.model.metrics import ESTIMATED
from harness.model.nouns import Outcome, Phase, Purity, Side
from harness.model.units import show_count


def judge(comparison: Comparison) -> OverallVerdict:
    """Judge every metric of a comparison of two sides, and the change as a whole.

    Outcome comes first; cost and latency are compared only at levels that both sides pass. A run that is no gate is judged
    by the default margins.
    """
    gate = comparison.run.gate
    margins = DEFAULT_MARGINS if gate is None else gate.margins
    metrics = (
        *_brackets(comparison),
        *(failing for row in comparison.rows for failing in judge_outcomes(row)),
        *_counted(comparison, margins),
        *_at_levels(comparison, margins, None if gate is None else gate.noise_floor),
    )
    verdict = _overall(comparison, metrics)
    refused = [
        f"{metric.metric}{_at(metric)}: {metric.refusal}"
        for metric in metrics
        if not metric.is_gated and metric.metric in {*BRACKETS, *margins}
    ]
    return OverallVerdict(
        verdict=verdict,
        headline=write_headline(verdict, metrics, comparison),
        metrics=metrics,
        refused=tuple(refused),
    )


def decision_rows(comparison: Comparison) -> list[Row]:
    """Return the levels that the verdict rests on: those that were given pairs for it, else the last that both sides pass."""
    both = [row for row in comparison.rows if all(row.passed(side) for side in Side)]
    wanted = comparison.run.plan.pairs
    given = [row for row in both if wanted and (len(row.pairs) >= wanted or _is_decision(row))]
    return given or both[-1:]


def _is_decision(row: Row) -> bool:
    return any(cell.slot.phase is Phase.DECISION for cells in row.cells.values() for cell in cells)


def _brackets(comparison: Comparison) -> list[MetricVerdict]:
    knees = {side: _knee(comparison, side) for side in Side}
    capacities = {side: _capacity(comparison, side) for side in Side}
    return [
        judge_bracket(KNEE, knees[Side.BASE], knees[Side.BRANCH]),
        judge_bracket(CAPACITY, capacities[Side.BASE], capacities[Side.BRANCH]),
    ]


def _knee(comparison: Comparison, side: Side) -> Bracket:
    knee = comparison.knees[side]
    here = _cells_at(comparison, side, knee.first_fail)
    return make_bracket(knee.last_pass, knee.first_fail, here, _has_failed)


def _capacity(comparison: Comparison, side: Side) -> Bracket:
    capacity = comparison.capacities[side]
    objective = comparison.run.plan.objective

    def is_bad(cell: Cell) -> bool:
        result = cell.result
        late = result is not None and (result.latency_infl or 0.0) > objective
        return _has_failed(cell) or late

    here = _cells_at(comparison, side, capacity.beyond)
    return make_bracket(capacity.within, capacity.beyond, here, is_bad)


def _cells_at(comparison: Comparison, side: Side, level: int | None) -> list[Cell]:
    return [] if level is None else ladder_cells(comparison.cells, side, level)


def _has_failed(cell: Cell) -> bool:
    return cell.outcome is not Outcome.OK


def _counted(comparison: Comparison, margins: Mapping[str, Margin]) -> list[MetricVerdict]:
    counted = comparison.run.costs
    return [] if counted is None else [judge_counted(cost, margins) for cost in counted.costs]


def _at_levels(
    comparison: Comparison, margins: Mapping[str, Margin], noise_floor: NoiseFloor | None
) -> list[MetricVerdict]:
    rows = decision_rows(comparison)
    threads = [judge_threads(row.level, *peaks, margins) for row in rows if (peaks := _peaks(row))]
    read = [
        (row, metric.name, paired_values(row.pairs, metric) if _is_whole(row) else [])
        for row in rows
        for metric in ESTIMATED
    ]
    family = [Paired(metric=n, level=row.level, pairs=pairs) for row, n, pairs in read if pairs]
    missing = [_unmeasured(n, row, margins) for row, n, pairs in read if not pairs]
    return [*threads, *judge_estimated(family, margins, noise_floor), *missing]


def _peaks(row: Row) -> tuple[list[int], list[int]] | None:
    base, branch = (
        [cell.peak_threads for cell in row.cells[side] if cell.peak_threads is not None]
        for side in Side
    )
    return (base, branch) if base and branch else None


def _is_whole(row: Row) -> bool:
    """Whether no cell failed there: of a side that loses its slowest cells the best are left, and it would look the better for it."""
    return not any(_has_failed(cell) for cells in row.cells.values() for cell in cells)


def _unmeasured(name: str, row: Row, margins: Mapping[str, Margin]) -> MetricVerdict:
    """Name what no pair measured on both sides: nothing that is to be gated is left out in silence."""
    return MetricVerdict(
        metric=name,
        level=row.level,
        verdict=Verdict.INCONCLUSIVE,
        base="–",
        branch="–",
        margin=margins.get(name),
        refusal=_UNMEASURED if _is_whole(row) else _SURVIVORS,
    )


_UNMEASURED = "no pair measured it on both sides"
_SURVIVORS = "a cell of this level failed, and what is left are the better ones"


def _overall(comparison: Comparison, metrics: Sequence[MetricVerdict]) -> Verdict:
    """Return the worst that a gated metric says; identical builds that differ are a fault of the measuring."""
    found = {metric.verdict for metric in metrics if metric.is_gated}
    differs = found & {Verdict.REGRESSED, Verdict.IMPROVED}
    if any(cell.slot.attempt for cell in comparison.invalid):
        return Verdict.INVALID
    if comparison.run.purity is Purity.AA and differs:
        return Verdict.INVALID
    for verdict in _WORST_FIRST:
        if verdict in found:
            return verdict
    return Verdict.INCONCLUSIVE


_WORST_FIRST = (
    Verdict.REGRESSED,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
    Verdict.NON_INFERIOR,
    Verdict.EQUIVALENT,
)


def _at(metric: MetricVerdict) -> str:
    return "" if metric.level is None else f" at C={show_count(metric.level)}"
