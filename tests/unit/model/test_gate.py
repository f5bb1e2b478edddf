"""Margins as ratios and as amounts."""

import math

import pytest

from harness.model.gate import Margin, allowance, log_margin

TENTH = Margin(amount=0.1, is_relative=True)
HALF = Margin(amount=0.5, is_relative=False)


def test_log_margin_is_the_log_of_the_largest_ratio() -> None:
    """An amount depends on the value, a share does not."""
    assert log_margin(TENTH, 5.0) == pytest.approx(math.log(1.1))
    assert log_margin(HALF, 5.0) == pytest.approx(math.log(5.5 / 5))


def test_allowance_is_in_the_metrics_own_unit() -> None:
    """The allowance of a negative slope is positive."""
    assert allowance(TENTH, -5.0) == pytest.approx(0.5)
    assert allowance(HALF, -5.0) == 0.5
