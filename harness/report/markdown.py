"""Markdown in which the output of a branch stays plain text."""

import re
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from harness.model.text import printable

# Text that GitHub turns into a link or a notification: addresses, people and teams, issues, commits of other repositories.
# GitHub looks for it after parsing the markdown: backslashes and entities do not prevent it, code does.
_REFERENCE = re.compile(
    r"((?:"
    r"(?:https?|ftp)://[^\s|`\\]*|www\.[^\s|`\\]*|(?:mailto|xmpp):[^\s|`\\]*"
    r"|[\w.+/-]*@[\w.+/-]+|[\w./-]*#\d+|\bGH-\d+"
    r")+)",
    re.IGNORECASE,
)
_SIGN = re.compile(r"([\\|`<>\[\]*]|~~+)")
_UNDERSCORE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")  # not inside a word
_ENTITY = re.compile(r"&(?=#?\w+;)")
# The start of a heading, a list item, a rule or an underline.
_BLOCK = re.compile(r"^(?:([#+=-])(?=[#=-]*(?: |$))|(\d+)(?=[.)](?: |$)))")


def escape(text: str) -> str:
    """Escape text from outside: no markup, no link, no notification.

    Source:
        GitHub Flavored Markdown Spec 0.29, sections 2.4 (backslash escapes), 6.2 (entities) and 6.9 (autolinks); GitHub's autolinked references.
    """
    parts = _REFERENCE.split(printable(text).strip())
    shown = [f"`{part}`" if at % 2 else _without_markup(part) for at, part in enumerate(parts)]
    return _BLOCK.sub(
        lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\", "".join(shown)
    )


def code(text: str) -> str:
    """Show any name as code."""
    name = re.sub(r"[`|\\]", "?", printable(text)).strip()
    return f"`{name or '?'}`"


def bullets(lines: Iterable[str]) -> str:
    """Return a list of lines that are already escaped."""
    return "\n".join(f"- {line}" for line in lines)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, words: Sequence[str] = ()
) -> str:
    """Return a pipe table.

    Args:
        header: The column names.
        rows: Cells, already escaped.
        words: Endings of the names of columns to align left; all others hold numbers.
    """
    align = ["left" if name.endswith(tuple(words)) else "right" for name in header]
    return tabulate(rows, headers=header, tablefmt="pipe", colalign=align, disable_numparse=True)


def _without_markup(text: str) -> str:
    line = _UNDERSCORE.sub(_each_escaped, _SIGN.sub(_each_escaped, text))
    return _ENTITY.sub(r"\\&", line)


def _each_escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{sign}" for sign in found[0])
