"""Verdicts on exact metrics: peak threads, counted costs, and failed cells."""

from collections.abc import Mapping, Sequence

from harness.analysis.comparison import Row
from harness.analysis.levels import pair_up
from harness.analysis.stats.tests import mcnemar
from harness.analysis.verdict.estimated import ALPHA, NO_MARGIN
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.model.costs import ExactCost
from harness.model.gate import Margin, allowance
from harness.model.nouns import Outcome, Side
from harness.model.units import show_change, show_number, show_plural

THREADS = "peak-threads"
FAILED = "failed cells"


def judge_threads(
    level: int, base: Sequence[int], branch: Sequence[int], margins: Mapping[str, Margin]
) -> MetricVerdict:
    """Compare peak threads at a level that both sides pass.

    A sampled peak is a lower bound of the true one, so the largest of each side's cells counts.

    Args:
        level: Concurrency.
        base: Of each of its cells, at least one.
        branch: The same.
        margins: By metric.
    """
    peaks = max(base), max(branch)
    margin = margins.get(THREADS)
    difference = peaks[1] - peaks[0]
    return MetricVerdict(
        metric=THREADS,
        level=level,
        verdict=_judge(float(peaks[0]), float(peaks[1]), margin),
        base=f"{peaks[0]:,}",
        branch=f"{peaks[1]:,}",
        change=f"{difference:+,}" if difference else "none",
        margin=margin,
        refusal="" if margin is not None else NO_MARGIN,
    )


def judge_counted(cost: ExactCost, margins: Mapping[str, Margin]) -> MetricVerdict:
    """Compare the counts of both sides; an unreproducible count is not gated."""
    margin = margins.get(cost.name)
    base, branch = cost.base, cost.branch
    return MetricVerdict(
        metric=cost.name,
        verdict=_judge(base, branch, margin),
        base=_show(base),
        branch=_show(branch),
        change=_change(base, branch),
        margin=margin,
        refusal=_refusal(cost, margin),
        why=_largest_differences(cost),
    )


def _refusal(cost: ExactCost, margin: Margin | None) -> str:
    if cost.base is None or cost.branch is None:
        missing = [
            side
            for side, value in zip(Side, (cost.base, cost.branch), strict=True)
            if value is None
        ]
        side = "either side" if len(missing) > 1 else f"the {missing[0]}"
        return f"it cannot be counted on {side}"
    if not cost.reproducible:
        return "its counts differ by more than 1 part in 10,000 here"
    return cost.advisory or ("" if margin is not None else NO_MARGIN)


def _judge(base: float | None, branch: float | None, margin: Margin | None) -> Verdict:
    if base is None or branch is None or margin is None:
        return Verdict.INCONCLUSIVE
    difference = branch - base
    if difference > allowance(margin, base):
        return Verdict.REGRESSED
    if -difference > allowance(margin, branch):
        return Verdict.IMPROVED
    return Verdict.EQUIVALENT


def _show(value: float | None) -> str:
    return "–" if value is None else show_number(value)


def _change(base: float | None, branch: float | None) -> str:
    """Show a difference, with its share of the base where the base is above zero."""
    if base is None or branch is None:
        return ""
    if base == branch:
        return "none"
    share = f"{show_change(branch / base)}, " if base > 0 else ""
    return share + _signed(branch - base)


def _signed(difference: float) -> str:
    return f"{'+' if difference > 0 else '-'}{show_number(abs(difference))}"


def _largest_differences(cost: ExactCost) -> str:
    """Show the three parts of a cost that differ most, by name."""
    differing = sorted(
        ((branch - base, name) for name, (base, branch) in cost.detail.items() if branch != base),
        key=lambda pair: (-abs(pair[0]), pair[1]),
    )
    return ", ".join(f"{name} {_signed(difference)}" for difference, name in differing[:3])


def judge_outcomes(row: Row) -> list[MetricVerdict]:
    """Compare how often the sides fail at a level; empty without a difference.

    It takes six pairs that differ. Fewer move only knee and capacity.
    """
    cells = [cell for here in row.cells.values() for cell in here]
    pairs = [
        tuple(cell.outcome is Outcome.OK for cell in both) for both in pair_up(cells).values()
    ]
    base_only = sum(base and not branch for base, branch in pairs)
    branch_only = sum(branch and not base for base, branch in pairs)
    p = mcnemar(base_only, branch_only)
    if p > ALPHA:
        return []
    is_worse = base_only > branch_only
    failed = [sum(not is_ok for is_ok in side) for side in zip(*pairs, strict=True)]
    return [
        MetricVerdict(
            metric=FAILED,
            level=row.level,
            verdict=Verdict.REGRESSED if is_worse else Verdict.IMPROVED,
            base=f"{failed[0]} of {len(pairs)}",
            branch=f"{failed[1]} of {len(pairs)}",
            change=f"{show_plural(base_only + branch_only, 'pair')} differ",
            p=p,
        )
    ]
