"""Markdown tables and text in which what a branch printed stays data."""

import re
from collections.abc import Sequence

from tabulate import tabulate


def escape(text: str) -> str:
    """Make text from outside safe in a line of markdown: one line, no control characters, no markup."""
    line = "".join(char if char.isprintable() else " " for char in text)
    line = re.sub(r"([\\|`<>\[\]*])", r"\\\1", line)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", line)  # inside a word it is only a character


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, words: Sequence[str] = ()
) -> str:
    """Render a pipe table.

    Args:
        header: A name a column.
        rows: Cells, already escaped.
        words: The columns whose name ends in one of these hold words and are left-aligned; the others hold numbers.
    """
    align = ["left" if name.endswith(tuple(words)) else "right" for name in header]
    return tabulate(rows, headers=header, tablefmt="pipe", colalign=align, disable_numparse=True)
