"""The verdicts on all metrics of a comparison, and on the change."""

from collections.abc import Callable, Mapping, Sequence

from harness.analysis.comparison import Comparison, Row
from harness.analysis.levels import measured_cells, paired_values
from harness.analysis.verdict.brackets import Bracket, judge_bracket, make_bracket
from harness.analysis.verdict.estimated import PairedSample, judge_estimated
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

_UNMEASURED = "no pair measured it on both sides"
_SURVIVORS = "a cell of this level failed, and the others would look too good (survivorship bias)"
_WORST_FIRST = (
    Verdict.REGRESSED,
    Verdict.INCONCLUSIVE,
    Verdict.IMPROVED,
    Verdict.NON_INFERIOR,
    Verdict.EQUIVALENT,
)


def judge(comparison: Comparison) -> OverallVerdict:
    """Return the verdicts on all metrics of two sides, and on the change.

    Cost and latency are compared only at levels that both sides pass. A run that is no gate is
    judged by the default margins.
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
    """Return the rows with pairs for the decision, else the last that both pass."""
    both = [row for row in comparison.rows if all(row.passed(side) for side in Side)]
    wanted = comparison.run.plan.pairs
    given = [row for row in both if wanted and (len(row.pairs) >= wanted or _is_decision(row))]
    return given or both[-1:]


def _is_decision(row: Row) -> bool:
    return any(cell.slot.phase is Phase.DECISION for cells in row.cells.values() for cell in cells)


def _brackets(comparison: Comparison) -> list[MetricVerdict]:
    objective = comparison.run.plan.objective

    def is_beyond(cell: Cell) -> bool:
        latency = cell.result.latency_infl if cell.result is not None else None
        return _has_failed(cell) or (latency or 0.0) > objective

    knees, capacities = [], []
    for side in Side:
        knee, capacity = comparison.knees[side], comparison.capacities[side]
        knees.append(_bracket(comparison, side, knee.last_pass, knee.first_fail, _has_failed))
        capacities.append(_bracket(comparison, side, capacity.within, capacity.beyond, is_beyond))
    return [judge_bracket(KNEE, *knees), judge_bracket(CAPACITY, *capacities)]


def _bracket(
    comparison: Comparison,
    side: Side,
    holds: int | None,
    beyond: int | None,
    is_bad: Callable[[Cell], bool],
) -> Bracket:
    here = [] if beyond is None else measured_cells(comparison.cells, side, beyond)
    return make_bracket(holds, beyond, here, is_bad)


def _has_failed(cell: Cell) -> bool:
    return cell.outcome is not Outcome.OK


def _counted(comparison: Comparison, margins: Mapping[str, Margin]) -> list[MetricVerdict]:
    costs = comparison.run.costs
    return [] if costs is None else [judge_counted(cost, margins) for cost in costs.costs]


def _at_levels(
    comparison: Comparison, margins: Mapping[str, Margin], noise_floor: NoiseFloor | None
) -> list[MetricVerdict]:
    rows = decision_rows(comparison)
    threads = [judge_threads(row.level, *peaks, margins) for row in rows if (peaks := _peaks(row))]
    samples, missing = [], []
    for row in rows:
        for metric in ESTIMATED:
            pairs = paired_values(row.pairs, metric) if _is_whole(row) else []
            if pairs:
                samples.append(PairedSample(metric=metric.name, level=row.level, pairs=pairs))
            else:
                missing.append(_unmeasured(metric.name, row, margins))
    return [*threads, *judge_estimated(samples, margins, noise_floor), *missing]


def _peaks(row: Row) -> tuple[list[int], list[int]] | None:
    base, branch = (
        [cell.peak_threads for cell in row.cells[side] if cell.peak_threads is not None]
        for side in Side
    )
    return (base, branch) if base and branch else None


def _is_whole(row: Row) -> bool:
    """Return false if any cell failed (survivorship bias)."""
    return not any(_has_failed(cell) for cells in row.cells.values() for cell in cells)


def _unmeasured(name: str, row: Row, margins: Mapping[str, Margin]) -> MetricVerdict:
    """Return the verdict on a metric without a pair, which the report shows."""
    return MetricVerdict(
        metric=name,
        level=row.level,
        verdict=Verdict.INCONCLUSIVE,
        base="–",
        branch="–",
        margin=margins.get(name),
        refusal=_UNMEASURED if _is_whole(row) else _SURVIVORS,
    )


def _overall(comparison: Comparison, metrics: Sequence[MetricVerdict]) -> Verdict:
    """Return the worst gated verdict; invalid where identical builds differ."""
    verdicts = {metric.verdict for metric in metrics if metric.is_gated}
    differs = verdicts & {Verdict.REGRESSED, Verdict.IMPROVED}
    if any(cell.slot.attempt for cell in comparison.invalid):
        return Verdict.INVALID
    if comparison.run.purity is Purity.AA and differs:
        return Verdict.INVALID
    return next((each for each in _WORST_FIRST if each in verdicts), Verdict.INCONCLUSIVE)


def _at(metric: MetricVerdict) -> str:
    return "" if metric.level is None else f" at C={show_count(metric.level)}"
