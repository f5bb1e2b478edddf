"""Markdown tables and text in which what a branch printed stays data."""

import re
from collections.abc import Sequence

from tabulate import tabulate

from harness.model.text import printable

# What GitHub makes a link of wherever it stands, or a notification: addresses, people and teams, issues, and commits of other repositories.
# It looks for them after markdown has been read, so that neither a backslash nor an entity takes the meaning from them; code does.
_REFERENCE = re.compile(
    r"((?:"
    r"(?:https?|ftp)://[^\s|`\\]*|www\.[^\s|`\\]*|(?:mailto|xmpp):[^\s|`\\]*"
    r"|[\w.+/-]*@[\w.+/-]+|[\w./-]*#\d+|\bGH-\d+"
    r")+)",
    re.IGNORECASE,
)
_SIGN = re.compile(r"([\\|`<>\[\]*]|~~+)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")  # inside a word it is only a character
_ENTITY = re.compile(r"&(?=#?\w+;)")
# What makes a line a heading, an item, a rule or an underline.
_BLOCK = re.compile(r"^(?:([#+=-])(?=[#=-]*(?: |$))|(\d+)(?=[.)](?: |$)))")


def escape(text: str) -> str:
    """Make text from outside safe in a line of markdown: one line, nothing that acts or hides, no markup, no link, nobody notified.

    Source:
        GitHub Flavored Markdown Spec 0.29, sections 2.4 (backslash escapes), 6.2 (entities) and 6.9 (autolinks); GitHub's autolinked references.
    """
    parts = _REFERENCE.split(printable(text).strip())
    shown = [f"`{part}`" if at % 2 else _without_markup(part) for at, part in enumerate(parts)]
    return _BLOCK.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\", "".join(shown)
    )


def code(text: str) -> str:
    """Show a name as code, whatever is in it."""
    name = re.sub(r"[`|\\]", "?", printable(text)).strip()
    return f"`{name or '?'}`"


def _without_markup(text: str) -> str:
    line = _UNDERSCORE.sub(_each_escaped, _SIGN.sub(_each_escaped, text))
    return _ENTITY.sub(r"\\&", line)


def _each_escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{sign}" for sign in found[0])


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
