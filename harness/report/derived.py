"""The stored report of a run: values for `compare.json`, and the index of all runs."""

from collections.abc import Iterable
from dataclasses import asdict
from urllib.parse import quote

from msgspec import structs

from harness.analysis.comparison import Comparison
from harness.analysis.levels import Capacity, ratio_range
from harness.model.cells import Slot
from harness.model.nouns import Side
from harness.model.runs import RunReport
from harness.report.document import render, render_summary
from harness.report.lines import knee_line
from harness.report.markdown import escape, table


def report_of(comparison: Comparison) -> RunReport:
    """Return the report of a comparison, with a summary if the run is a gate."""
    is_gate = comparison.run.kind == "gate"
    return RunReport(
        run=comparison.run,
        complete=comparison.complete,
        derived=_derive(comparison),
        document=render(comparison),
        summary=render_summary(comparison) if is_gate else "",
    )


def index_text(runs: Iterable[tuple[str, RunReport | None]]) -> str:
    """Return a table with a row per folder; the report of an unreadable run is None."""
    rows = [_index_row(name, report) for name, report in runs]
    listing = table(["run", "compared", "levels", "result"], rows, words=("",))
    return f"# Results, newest first\n\n{listing}\n"


def _derive(comparison: Comparison) -> dict[str, object]:
    return {
        "in-short": "; ".join(
            knee_line(comparison.name_of(side), knee) for side, knee in comparison.knees.items()
        ),
        "knees": {
            side: {name.replace("_", "-"): value for name, value in structs.asdict(knee).items()}
            for side, knee in comparison.knees.items()
        },
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
                "outcomes": {
                    side: [cell.outcome for cell in row.cells[side]] for side in row.cells
                },
                "ratios": {name: asdict(estimate) for name, estimate in row.ratios.items()},
            }
            for row in comparison.rows
        ],
        "warnings": [warning.text for warning in comparison.warnings],
        "invalid": [_place(cell.slot) | {"reason": cell.reason} for cell in comparison.invalid],
        "order": [_place(slot) for slot in comparison.order],
    }


def _capacity_ratio(capacities: dict[Side, Capacity]) -> dict[str, float | None] | None:
    """Return the range of branch to base capacity; None for one build."""
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


def _index_row(name: str, report: RunReport | None) -> list[str]:
    link = f"[{escape(name)}]({quote(name)}/table.md)"
    if report is None:
        return [link, "cannot be read", "–", "–"]
    run = report.run
    compared = "goals" if run.kind == "goals" else run.purity or "one build"
    state = "" if report.complete else " (incomplete)"
    levels = ", ".join(f"{level:,}" for level in run.plan.levels) or "–"
    result = escape(str(report.derived.get("in-short", ""))) or "–"
    return [link, f"{compared}{state}", levels, result]
