"""What a comparison comes to: a verdict for each metric, and one for all of them."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.stats.ratios import Estimate
from harness.model.gate import Margin

KNEE, CAPACITY = "knee", "capacity"
BRACKETS = (KNEE, CAPACITY)
"""The metrics that are brackets of levels, and so have no margin."""


class Verdict(StrEnum):
    """What can be said of a metric, or of a change."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    EQUIVALENT = "equivalent"
    NON_INFERIOR = "non-inferior"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"

    @property
    def mirror(self) -> "Verdict":
        """What the same data say with the sides swapped, where that follows from the verdict alone."""
        swapped = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}
        return swapped.get(self, self)


class Standing(StrEnum):
    """Where an estimate stands to a margin and its mirror: `non-inferior` is one half of a symmetric statement."""

    ABOVE = "above"
    BELOW = "below"
    WITHIN = "within"
    NOT_ABOVE = "not above"
    NOT_BELOW = "not below"
    SPANNING = "spanning"

    @property
    def mirror(self) -> "Standing":
        """Where the same data stand with the sides swapped."""
        swapped = {
            Standing.ABOVE: Standing.BELOW,
            Standing.BELOW: Standing.ABOVE,
            Standing.NOT_ABOVE: Standing.NOT_BELOW,
            Standing.NOT_BELOW: Standing.NOT_ABOVE,
        }
        return swapped.get(self, self)

    @property
    def verdict(self) -> Verdict:
        """What it means for a metric of which less is better."""
        return {
            Standing.ABOVE: Verdict.REGRESSED,
            Standing.BELOW: Verdict.IMPROVED,
            Standing.WITHIN: Verdict.EQUIVALENT,
            Standing.NOT_ABOVE: Verdict.NON_INFERIOR,
        }.get(self, Verdict.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricVerdict:
    """What is said of one metric, at one level where it has levels.

    Args:
        metric: Its name; `knee` and `capacity` are metrics too.
        level: Concurrency; None where it has none.
        base, branch: What was measured, for people.
        ratio: Branch over base with its unadjusted 95 % interval, where it is estimated.
        change: The difference, for people; empty where `ratio` says it, or where there is none.
        margin: What it may be worse by; None where that is no matter of a margin.
        limit: The same as the logarithm of a ratio, where it is estimated.
        refusal: Why it is not gated; empty where it is.
        p: Of the test that decided, after Holm's adjustment.
        smallest: The smallest share by which it could be worse and be called regressed with 80 % power, its margin included; None where it
            is exact.
        needed: How many pairs in all it would take to decide, always more than there are; None where it is decided, or where no number is in
            sight.
        why: What a reader needs to know beside the verdict, one phrase; may be empty.
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
        """Whether it decides about the change."""
        return not self.refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallVerdict:
    """What is said of the change.

    Args:
        verdict: Of all gated metrics together.
        headline: The same in one line that can be acted on, without markup.
        metrics: In the order in which they are shown: outcome first.
        refused: A phrase for each metric that is to be gated and could not be.
    """

    verdict: Verdict
    headline: str
    metrics: tuple[MetricVerdict, ...]
    refused: tuple[str, ...]
