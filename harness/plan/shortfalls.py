"""What a budget of time did not pay for."""

from collections.abc import Sequence

from harness.analysis.comparison import DataWarning
from harness.model.cells import Cell
from harness.model.metrics import ESTIMATED
from harness.model.runs import RunInfo
from harness.model.units import show_plural, show_seconds
from harness.plan.decision import decision_levels, find_unresolved, missing_pairs

_WANTED = 0.10  # the change that a budget is to make visible, where no margin says another


def find_shortfalls(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> list[DataWarning]:
    """Return a warning for each pair or metric that the budget of a complete run did not pay for."""
    if run.plan.budget_s is None or not complete:
        return []
    plan, margins = run.plan, run.gate.margins if run.gate is not None else {}
    wanted = {metric.name: _WANTED for metric in ESTIMATED} | {
        name: margin.amount for name, margin in margins.items() if margin.is_relative
    }
    budget = f"the budget of {show_seconds(run.plan.budget_s)}"
    texts = [
        f"{budget} was too short for {run.plan.pairs} pairs at C={level:,}: there are {made}"
        for level, made in missing_pairs(plan, cells).items()
    ]
    for found in find_unresolved(cells, decision_levels(plan, cells), wanted):
        seen = "nothing yet" if found.smallest is None else f"{found.smallest * 100:.1f} % or more"
        texts.append(
            f"{budget} left {found.metric} at C={found.level:,} unresolved: {show_plural(found.pairs, 'pair')} "
            f"could show {seen}, and {found.wanted * 100:g} % was wanted"
        )
    return [DataWarning(text) for text in texts]
