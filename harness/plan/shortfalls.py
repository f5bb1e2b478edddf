"""Warnings about pairs and metrics that a budget did not pay for."""

import math
from collections.abc import Sequence

from harness.analysis.comparison import DataWarning
from harness.analysis.stats.ratios import change_of
from harness.model.cells import Cell
from harness.model.metrics import ESTIMATED
from harness.model.runs import RunInfo
from harness.model.units import show_plural, show_seconds
from harness.plan.budget import detectable, logs_at
from harness.plan.decision import missing_pairs, pair_levels

_WANTED = 0.10  # the change to detect, unless a margin sets another


def find_shortfalls(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> list[DataWarning]:
    """Return warnings about pairs and metrics that the budget of a run left open."""
    if run.plan.budget_s is None or not complete:
        return []
    margins = run.gate.margins if run.gate is not None else {}
    wanted = {metric.name: _WANTED for metric in ESTIMATED} | {
        name: margin.amount for name, margin in margins.items() if margin.is_relative
    }
    budget = f"the budget of {show_seconds(run.plan.budget_s)}"
    texts = [
        f"{budget} was too short for {run.plan.pairs} pairs at C={level:,}: {made} ran"
        for level, made in missing_pairs(run.plan, cells).items()
    ]
    for level in pair_levels(run.plan, cells):
        for name, logs in logs_at(cells, level).items():
            effect = detectable(logs)
            if effect > math.log1p(wanted[name]):
                found = f"changes of {change_of(effect) * 100:.1f} % or more"
                texts.append(
                    f"{budget} left {name} at C={level:,} unresolved: {show_plural(len(logs), 'pair')} can detect "
                    f"{'no change yet' if math.isinf(effect) else found}, and {wanted[name] * 100:g} % was wanted"
                )
    return [DataWarning(text) for text in texts]
