"""Margins: how much worse a metric may be before a change is said to have made it worse."""

import math
import re

from harness.errors import UsageError
from harness.model import Margin

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

_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(%?)")


def parse_margin(text: str, *, where: str) -> Margin:
    """Read a margin: ``10 %`` is a share of the base, ``0.5`` is in the metric's own unit.

    Raises:
        UsageError: It is neither.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        msg = f"{where}: {text!r} is not a margin"
        raise UsageError(
            msg, hint='write "10 %" for a share of the base, or a number in the metric\'s own unit'
        )
    amount = float(match[1])
    return Margin(amount=amount / 100, is_relative=True) if match[2] else _absolute(amount)


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


def _absolute(amount: float) -> Margin:
    return Margin(amount=amount, is_relative=False)
