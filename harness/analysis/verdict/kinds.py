"""The verdicts, of one metric and of a change."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.stats.ratios import Estimate
from harness.model.gate import Margin

KNEE, CAPACITY = "knee", "capacity"
BRACKETS = (KNEE, CAPACITY)
"""The metrics that are brackets of levels, and have no margin."""


class Verdict(StrEnum):
    """The verdict on a metric, or on a change."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    NON_INFERIOR = "non-inferior"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """The verdict on one metric, at one level where it has levels.

    Args:
        metric: Its name; `knee` and `capacity` are metrics too.
        level: Concurrency; None where it has none.
        base, branch: The measured values, for people.
        ratio: Branch over base with its unadjusted 95 % interval, where it is estimated.
        change: The difference, for people; empty where `ratio` shows it, or without one.
        margin: None where it is not decided by a margin.
        limit: The margin as a log ratio, where it is estimated.
        refusal: Why it is not gated; empty where it is.
        p: Of the deciding test, after Holm's adjustment.
        smallest: The smallest detectable regression at 80 % power, as a share that includes the
            margin; None where it is exact.
        needed: Pairs in all that would decide, always more than there are; None where it is
            decided, or where no number is known.
        why: One phrase that explains the verdict; may be empty.
    """

    metric: str
    verdict: Verdict
    base: str
    branch: str
    level: int | None = None
    ratio: Estimate | None = None
    change: str = ""
    margin: Margin | None = None
    limit: float | None = None
    refusal: str = ""
    p: float | None = None
    smallest: float | None = None
    needed: int | None = None
    why: str = ""

    @property
    def is_gated(self) -> bool:
        """True if it counts in the verdict on the change."""
        return not self.refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallVerdict:
    """The verdict on a change.

    Args:
        verdict: Over all gated metrics.
        headline: The same in one line with its reasons, without markup.
        metrics: In the order of the report: outcomes first.
        refused: A phrase for each metric that should be gated and could not be.
    """

    verdict: Verdict
    headline: str
    metrics: tuple[MetricVerdict, ...]
    refused: tuple[str, ...]
