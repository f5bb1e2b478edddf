"""What a gate decides by: margins, and the noise of the host."""

import math

from harness.model.stored import Amount, Natural, Record


class Margin(Record, frozen=True, kw_only=True):
    """How much worse a metric may be: by a share of the base where it is relative (0.05 is 5 %), else in its own unit."""

    amount: Amount
    is_relative: bool


class NoiseFloor(Record, frozen=True, kw_only=True):
    """The noise of one host, box and load, from pairs of identical builds.

    Args:
        key: Of host, box, caps, arm and load.
        measured_at: UTC.
        level: At which concurrency.
        pairs: How many.
        deviations: By metric, the standard deviation of the logarithm of a pair's ratio.
    """

    key: str
    measured_at: str
    level: Natural
    pairs: Natural
    deviations: dict[str, Amount]


class GateInfo(Record, frozen=True, kw_only=True):
    """What a gate decides by.

    Args:
        margins: By metric; a metric without one is shown and not gated.
        strict: Whether an inconclusive verdict fails.
        floor: None where none is known.
    """

    margins: dict[str, Margin]
    strict: bool = False
    noise_floor: NoiseFloor | None = None


DEFAULT_MARGINS = {
    "peak-threads": Margin(amount=0, is_relative=False),
    "cpu-ms/turn": Margin(amount=0.05, is_relative=True),
    "latency-infl": Margin(amount=0.05, is_relative=True),
    "rss-kb/sess": Margin(amount=0.03, is_relative=True),
    "instructions/turn": Margin(amount=0.02, is_relative=True),
    "traced-bytes/session": Margin(amount=0.02, is_relative=True),
    "allocated-blocks/session": Margin(amount=0.02, is_relative=True),
    "system-calls/turn": Margin(amount=0.01, is_relative=False),
}
"""The metrics that are gated by default; knee and capacity have brackets instead of margins."""


def log_margin(margin: Margin, better: float) -> float:
    """Return a margin as the logarithm of the largest ratio of the worse side to the better one that is within it.

    Args:
        margin: Relative, or in the metric's own unit.
        better: What the metric is on the better side, above zero: on the base for a regression, on the branch for an improvement.
    """
    share = margin.amount if margin.is_relative else margin.amount / better
    return math.log1p(share)


def allowance(margin: Margin, better: float) -> float:
    """Return how much worse than on the better side a metric may be, in its own unit."""
    return margin.amount * abs(better) if margin.is_relative else margin.amount


def show_margin(margin: Margin) -> str:
    """Show a margin as it is written in the configuration."""
    return f"{margin.amount * 100:g} %" if margin.is_relative else f"{margin.amount:g}"
