"""The log of a cell: what it printed, bounded, and with nothing in it that a terminal would act on."""

import re
from collections.abc import Sequence

_FIRST, _LAST = 64 << 10, 1 << 20  # characters of each stream
_SUSPECT = re.compile(r"[^\n\t -~]")  # all else is looked at one by one


def log_text(stdout: str, stderr: Sequence[str]) -> str:
    r"""Return the log.

    Args:
        stdout: All of the standard output that is known.
        stderr: The lines of the standard error that are known.

    Returns:
        Of each stream the first 64 Ki and the last 1 Mi characters, with a line in between that says how many were left out. Control
        characters but newline and tab are written as in ``\x1b``.
    """
    out, err = _shown(stdout), _shown("\n".join(stderr))
    return f"# standard output\n{out}\n# end of standard error\n{err}\n"


def _shown(text: str) -> str:
    if len(text) <= _FIRST + _LAST:
        return _escaped(text)
    left_out = len(text) - _FIRST - _LAST
    first, last = _escaped(text[:_FIRST]), _escaped(text[-_LAST:])
    return f"{first}\n# {left_out:,} characters are left out here\n{last}"


def _escaped(text: str) -> str:
    return _SUSPECT.sub(_visible, text)


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else ascii(char)[1:-1]
