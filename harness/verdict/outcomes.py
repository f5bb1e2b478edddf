"""Outcomes of pairs: whether one side fails more often than the other at a level."""

from harness.compare import Row
from harness.model import Outcome, Side
from harness.stats import mcnemar
from harness.units import show_plural
from harness.verdict.kinds import MetricVerdict, Verdict
from harness.verdict.standing import ALPHA

FAILED = "failed cells"


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
