"""Text from outside, made safe to show."""

import pytest

from harness.model.text import one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – text, 3.18×", "plain – text, 3.18×"),
        ("a\x1b[2Jb\nc\x7f", "a [2Jb c "),
        ("\u202eright\u202c \u2066isolated\u2069", " right   isolated "),
        ("zero\u200bwidth\u2060\ufeff", "zero width  "),
        ("line\u2028paragraph\u2029next\x85", "line paragraph next "),
        ("half \ud800", "half  "),
        ("blank \u3164\u2800", "blank   "),
    ],
)
def test_printable_keeps_visible_characters(text: str, shown: str) -> None:
    """Control characters and invisible characters become spaces."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" a\nb ", "a b"),
        ("abcdef", "abcdef"),
        ("abcdefg", "abcde…"),
    ],
)
def test_one_line_is_cut(text: str, line: str) -> None:
    """A cut is marked."""
    assert one_line(text, 6) == line
