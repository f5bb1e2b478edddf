"""The ladder as it is typed."""

import pytest

from harness.cli.parsing import parse_levels
from harness.model.errors import UsageError


def test_parse_levels_reads_an_ascending_ladder() -> None:
    """One level is a ladder as well."""
    assert parse_levels("500,1000", where="--levels") == (500, 1000)
    assert parse_levels("8", where="--levels") == (8,)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("500..4000", (500, 1000, 2000, 4000)),
        ("500..3000", (500, 1000, 2000)),
        ("100,500..1000,1500", (100, 500, 1000, 1500)),
        ("8..8", (8,)),
    ],
)
def test_parse_levels_doubles_between_two_dots(text: str, levels: tuple[int, ...]) -> None:
    """A long ladder is typed by its ends; it never goes above the upper one."""
    assert parse_levels(text, where="--levels") == levels


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "nothing"),
        ("2,1", "2,1"),
        ("5,5", "5,5"),
        ("8..4", "8..4"),
        ("4..8,8", "4..8,8"),
    ],
)
def test_parse_levels_refuses_what_does_not_ascend(text: str, shown: str) -> None:
    """The error contains the typed text."""
    with pytest.raises(UsageError) as caught:
        parse_levels(text, where="--levels")
    assert str(caught.value) == (
        f"--levels: {shown} does not ascend — write levels as in 500,1000,2000 or 500..2000"
    )


def test_parse_levels_refuses_a_level_that_is_no_number() -> None:
    """The level itself is named, not the whole ladder."""
    with pytest.raises(UsageError, match=r"^--levels: '1k' is not a whole number"):
        parse_levels("500,1k", where="--levels")
