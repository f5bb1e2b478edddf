"""What a comparison comes to: a verdict for each metric, and one line for all of them."""

from harness.verdict.estimated import floor_of
from harness.verdict.exact import judge_counted
from harness.verdict.headline import lacking
from harness.verdict.kinds import BRACKETS, MetricVerdict, OverallVerdict, Standing, Verdict
from harness.verdict.overall import decision_rows, judge

__all__ = [
    "BRACKETS",
    "MetricVerdict",
    "OverallVerdict",
    "Standing",
    "Verdict",
    "decision_rows",
    "floor_of",
    "judge",
    "judge_counted",
    "lacking",
]
