"""Metrics that are exact: peak threads at each level, and what was counted."""

from collections.abc import Mapping, Sequence

from harness.margins import allowance
from harness.model import ExactCost, Margin
from harness.units import show_change, show_number
from harness.verdict.kinds import MetricVerdict, Verdict

THREADS = "peak-threads"


def judge_threads(
    level: int, base: Sequence[int], branch: Sequence[int], margins: Mapping[str, Margin]
) -> MetricVerdict:
    """Compare peak threads at a level that both sides pass.

    A peak that was sampled is a lower bound of the true one, so that the largest of each side's cells is compared.

    Args:
        level: Concurrency.
        base: Of each of the base's cells, at least one.
        branch: The same of the branch.
        margins: By metric.
    """
    seen = max(base), max(branch)
    margin = margins.get(THREADS)
    difference = seen[1] - seen[0]
    return MetricVerdict(
        metric=THREADS,
        level=level,
        verdict=_judge(float(seen[0]), float(seen[1]), margin),
        base=f"{seen[0]:,}",
        branch=f"{seen[1]:,}",
        change=f"{difference:+,}" if difference else "none",
        margin=margin,
        refusal="" if margin is not None else _NO_MARGIN,
    )


def judge_counted(cost: ExactCost, margins: Mapping[str, Margin]) -> MetricVerdict:
    """Compare what was counted of both sides; what one of them has not, or does not repeat, is not gated."""
    margin = margins.get(cost.name)
    base, branch = cost.base, cost.branch
    if base is None or branch is None:
        side = "either side" if base is branch else "the base" if base is None else "the branch"
        refusal = f"it cannot be counted on {side}"
    elif not cost.reproducible:
        refusal = "it does not repeat to 1 part in 10,000 here"
    elif cost.advisory:
        refusal = cost.advisory
    else:
        refusal = "" if margin is not None else _NO_MARGIN
    is_known = base is not None and branch is not None
    return MetricVerdict(
        metric=cost.name,
        verdict=_judge(base, branch, margin) if is_known else Verdict.INCONCLUSIVE,
        base=_show(base),
        branch=_show(branch),
        change=_change(base, branch),
        margin=margin,
        refusal=refusal,
        why=_by_name(cost),
    )


_NO_MARGIN = "no margin is set for it"


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
    """Show a difference as a share where there is something to take it of."""
    if base is None or branch is None:
        return ""
    if base == branch:
        return "none"
    share = f"{show_change(branch / base)}, " if base > 0 else ""
    return share + _signed(branch - base)


def _signed(difference: float) -> str:
    return f"{'+' if difference > 0 else '-'}{show_number(abs(difference))}"


def _by_name(cost: ExactCost) -> str:
    """Name what differs among the parts of a cost, the largest difference first."""
    differing = sorted(
        ((branch - base, name) for name, (base, branch) in cost.detail.items() if branch != base),
        key=lambda pair: (-abs(pair[0]), pair[1]),
    )
    return ", ".join(f"{name} {_signed(difference)}" for difference, name in differing[:3])
