"""Text from outside, made safe to show on a terminal and in a line of markdown."""

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that are drawn as nothing, although `str.isprintable` accepts them."""


def printable(text: str) -> str:
    """Replace characters that act on a terminal, or are invisible, with spaces.

    These are control characters, line ends, bidirectional marks, zero-width characters, lone surrogates and blank letters.
    """
    return "".join(char if char.isprintable() and char not in _BLANKS else " " for char in text)


def one_line(text: str, most: int) -> str:
    """Return a text as one line of at most `most` characters; `…` marks a cut."""
    line = printable(text).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"
