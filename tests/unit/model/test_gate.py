"""Margins: read, taken of a side, shown."""

import math

import pytest

from harness.cli.settings import parse_margin
from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS, Margin, allowance, log_margin, show_margin

TENTH = Margin(amount=0.1, is_relative=True)
HALF = Margin(amount=0.5, is_relative=False)


@pytest.mark.parametrize(
    ("text", "margin"),
    [
        ("10 %", TENTH),
        (" 10% ", TENTH),
        ("2.5 %", Margin(amount=0.025, is_relative=True)),
        ("0.5", HALF),
        ("0", Margin(amount=0, is_relative=False)),
    ],
)
def test_parse_margin_reads_a_share_or_an_amount(text: str, margin: Margin) -> None:
    """A per cent sign makes it a share of the base."""
    assert parse_margin(text, where="here") == margin


@pytest.mark.parametrize("text", ["", "%", "-1", "ten", "1 MB", "1e3", "nan", "1" * 10])
def test_parse_margin_names_the_place_of_what_it_cannot_read(text: str) -> None:
    """The message holds where it stood, what stood there, and what to write instead."""
    with pytest.raises(UsageError) as caught:
        parse_margin(text, where="[tool.x] cpu")
    assert str(caught.value) == (
        f"[tool.x] cpu: {text!r} is not a margin"
        ' — write "10 %" for a share of the base, or a number in the metric\'s own unit'
    )


@pytest.mark.parametrize("margin", [*DEFAULT_MARGINS.values(), HALF])
def test_show_margin_writes_what_can_be_read_back(margin: Margin) -> None:
    """The table shows a margin as the configuration writes it."""
    assert parse_margin(show_margin(margin), where="here") == margin


def test_show_margin_rounds_what_a_float_adds() -> None:
    """7 % is no 7.000000000000001 %."""
    assert show_margin(parse_margin("7 %", where="here")) == "7 %"


def test_log_margin_is_that_of_the_largest_ratio_within() -> None:
    """A share does not depend on the value, an amount does."""
    assert log_margin(TENTH, 5.0) == pytest.approx(math.log(1.1))
    assert log_margin(HALF, 5.0) == pytest.approx(math.log(5.5 / 5))


def test_allowance_is_in_the_metrics_own_unit() -> None:
    """A slope may be below zero; what is allowed is not."""
    assert allowance(TENTH, -5.0) == pytest.approx(0.5)
    assert allowance(HALF, -5.0) == 0.5
