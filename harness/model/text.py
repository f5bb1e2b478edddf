"""What of a text that came from outside may be shown: one line, in which nothing acts on a terminal and nothing hides."""

import unicodedata

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing, which Python takes for printable."""

_MOST_MARKS = 4  # that stand on one letter; scripts that people write need fewer, and a pile of them covers the lines above


def printable(text: str) -> str:
    """Put a space in the place of each character that a terminal would act on, or that nobody would see.

    These are control characters and line ends, direction marks, characters without width, halves of characters, and letters that are drawn as nothing.
    Of marks that stand on one letter the first four stay.
    """
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            shown.append(char if char.isprintable() and char not in _BLANKS else " ")
    return "".join(shown)


def one_line(text: str, most: int) -> str:
    """Return a text as one line without space at its ends.

    Args:
        text: Of any length.
        most: How many characters it may have; what was cut off is marked by `…`.
    """
    line = printable(text[: 2 * most]).strip()
    return line if len(line) <= most and len(text) <= 2 * most else f"{line[: most - 1]}…"
