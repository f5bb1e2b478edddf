"""Metrics that are exact: peak threads at each level, and what was counted."""

from collections.abc import Mapping, Sequence

from harness.analysis.comparison import Row
from harness.analysis.stats.tests import mcnemar
from harness.analysis.verdict.estimated import ALPHA
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


def judge_outcomes(row: Row) -> list[MetricVerdict]:
    """Compare how often the sides fail at a level, where the pairs show that one does so more often.

    That takes six pairs that differ. What fewer show is for knee and capacity to say, which a single cell can move.
    """
    pairs = _pairs(row)
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


def _pairs(row: Row) -> list[tuple[bool, bool]]:
    """Return for each pair whether the base, and whether the branch, ended ok."""
    by_place: dict[tuple[int, int], dict[Side, bool]] = {}
    for side, cells in row.cells.items():
        for cell in cells:
            if cell.slot.pair is not None:
                place = by_place.setdefault((cell.slot.block, cell.slot.pair), {})
                place[side] = cell.outcome is Outcome.OK
    return [
        (sides[Side.BASE], sides[Side.BRANCH])
        for _, sides in sorted(by_place.items())
        if len(sides) == len(Side)
    ]
