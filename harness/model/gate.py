"""Margins and noise floors: the basis of a gate's decision."""

import math

from harness.model.stored import Amount, Natural, Record


class Margin(Record, frozen=True, kw_only=True):
    """The largest allowed change for the worse: a share (0.05 is 5 %) or an amount."""

    amount: Amount
    is_relative: bool


class NoiseFloor(Record, frozen=True, kw_only=True):
    """The noise of a host, measured with pairs of identical builds.

    Args:
        key: Hash of host, box, caps, arm and load.
        measured_at: UTC.
        deviations: By metric, the standard deviation of the log ratio of a pair.
    """

    key: str
    measured_at: str
    level: Natural
    pairs: Natural
    deviations: dict[str, Amount]


class GateInfo(Record, frozen=True, kw_only=True):
    """The basis of a gate's decision.

    Args:
        margins: By metric; a metric without a margin is not gated.
        strict: Fail if the verdict is inconclusive.
        noise_floor: None if unknown.
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
"""The metrics that are gated by default, besides knee and capacity."""


def log_margin(margin: Margin, better: float) -> float:
    """Return the log of the largest ratio of worse to better side within a margin."""
    share = margin.amount if margin.is_relative else margin.amount / better
    return math.log1p(share)


def allowance(margin: Margin, better: float) -> float:
    """Return the largest allowed change for the worse, in the metric's own unit."""
    return margin.amount * abs(better) if margin.is_relative else margin.amount


def show_margin(margin: Margin) -> str:
    """Show a margin as the configuration writes it."""
    return f"{margin.amount * 100:g} %" if margin.is_relative else f"{margin.amount:g}"
