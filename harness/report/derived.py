"""A comparison as plain values, for `compare.json`."""

from dataclasses import asdict

from harness.analysis.comparison import Comparison
from harness.analysis.levels import Capacity, ratio_range
from harness.model.cells import Cell, Knee, Slot
from harness.model.nouns import Side
from harness.model.runs import RunReport
from harness.report.document import render, render_summary
from harness.report.lines import knee_line


def report_of(comparison: Comparison) -> RunReport:
    """Return a comparison as it is stored: values, table, and for a gate the summary."""
    is_gate = comparison.run.kind == "gate"
    return RunReport(
        run=comparison.run,
        complete=comparison.complete,
        derived=_derive(comparison),
        document=render(comparison),
        summary=render_summary(comparison) if is_gate else "",
    )


def _derive(comparison: Comparison) -> dict[str, object]:
    return {
        "in-short": "; ".join(
            knee_line(comparison.name_of(side), knee) for side, knee in comparison.knees.items()
        ),
        "knees": {side: _knee(knee) for side, knee in comparison.knees.items()},
        "capacities": {side: asdict(found) for side, found in comparison.capacities.items()},
        "capacity-ratio": _capacity_ratio(comparison.capacities),
        "slopes": {
            name: {side: asdict(estimate) for side, estimate in by_side.items()}
            for name, by_side in comparison.slopes.items()
            if by_side
        },
        "levels": [
            {
                "C": row.level,
                "outcomes": _outcomes(row.cells),
                "ratios": {name: asdict(estimate) for name, estimate in row.ratios.items()},
            }
            for row in comparison.rows
        ],
        "warnings": [warning.text for warning in comparison.warnings],
        "invalid": [_invalid(cell) for cell in comparison.invalid],
        "order": [_place(slot) for slot in comparison.order],
    }


def _invalid(cell: Cell) -> dict[str, object]:
    return _place(cell.slot) | {"reason": cell.reason}


def _capacity_ratio(capacities: dict[Side, Capacity]) -> dict[str, float | None] | None:
    """Return how much more the branch may carry, from its lowest to its highest; None of one build alone."""
    if len(capacities) < 2:
        return None
    low, high = ratio_range(capacities[Side.BASE], capacities[Side.BRANCH])
    return {"low": low, "high": high}


def _place(slot: Slot) -> dict[str, object]:
    return {
        "phase": slot.phase,
        "side": slot.side,
        "C": slot.level,
        "block": slot.block,
        "pair": slot.pair,
        "attempt": slot.attempt,
    }


def _outcomes(cells: dict[Side, list[Cell]]) -> dict[str, list[str]]:
    return {side: [cell.outcome for cell in here] for side, here in cells.items()}


def _knee(knee: Knee) -> dict[str, object]:
    return {
        "last-pass": knee.last_pass,
        "first-fail": knee.first_fail,
        "outcome": knee.outcome,
        "reason": knee.reason,
    }
