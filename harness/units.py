"""Formatting and parsing of the quantities that people read and type."""

import re

from harness.errors import UsageError

_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SHOWN = 80  # of what was typed
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_memory_bytes(text: str, *, where: str) -> int:
    """Read a memory cap as Docker spells it.

    Args:
        text: A number with an optional unit b, k, m or g (powers of 1024), e.g. ``2g``.
        where: The flag or variable that it came from, for the message.

    Returns:
        Bytes, at least 6 MiB, which is the engine's own minimum.

    Raises:
        UsageError: It does not parse, or is below the minimum.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?", text.strip().lower())
    if match is None:
        msg = f"{where}: {text[:_SHOWN]!r} is not an amount of memory"
        raise UsageError(msg, hint="write for example 512m or 2g")
    amount = int(float(match[1]) * _BYTES[match[2]])
    if amount < 6 << 20:
        msg = f"{where}: {text[:_SHOWN]!r} is below 6m, the smallest box there is"
        raise UsageError(msg, hint="write for example 512m or 2g")
    return amount


def parse_seconds(text: str, *, where: str) -> float:
    """Read a duration such as ``600``, ``90s`` or ``20m``.

    Raises:
        UsageError: It does not parse, or is not above zero.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*(ms|s|m|h)?", text.strip().lower())
    value = float(match[1]) * _SECONDS[match[2] or ""] if match else 0.0
    if value <= 0:
        msg = f"{where}: {text[:_SHOWN]!r} is not a duration above zero"
        raise UsageError(msg, hint="write for example 600s or 10m")
    return value


def parse_number(text: str, *, where: str, least: float = 0.0) -> float:
    """Read a number above `least`.

    Raises:
        UsageError: It does not parse, is not finite, or is not above `least`.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least < value < float("inf"):
        msg = f"{where}: {text[:_SHOWN]!r} is not a number above {least:g}"
        raise UsageError(msg, hint="write for example 2 or 1.5")
    return value


def parse_whole(text: str, *, where: str, least: int = 1) -> int:
    """Read a whole number of at least `least`.

    Raises:
        UsageError: It does not parse, or is less.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) >= least):
        msg = f"{where}: {text[:_SHOWN]!r} is not a whole number of at least {least}"
        raise UsageError(msg, hint="write it in digits")
    return int(digits)


def show_count(value: float) -> str:
    """Show a count with thousands separated: 16000 -> ``16,000``."""
    return f"{value:,.0f}"


def show_plural(value: float, noun: str) -> str:
    """Show a count of something: (1, "thread") -> ``1 thread``, (2001, "thread") -> ``2,001 threads``."""
    return f"{show_count(value)} {noun}{'' if value == 1 else 's'}"


def show_bytes(value: float) -> str:
    """Show bytes in the largest binary unit that keeps it above 1: 2147483648 -> ``2 GiB``."""
    amount, unit = float(value), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.4g} {unit}"


def show_seconds(value_s: float) -> str:
    """Show a duration with the precision that a reader wants: 600.0 -> ``600 s``, 1.234 -> ``1.2 s``."""
    return f"{value_s:.0f} s" if value_s >= 10 else f"{value_s:.1f} s"


def show_ratio(value: float) -> str:
    """Show a factor with three significant digits, two decimals at the most: 3.184 -> ``3.18×``."""
    return f"{value:.{_decimals(value)}f}×"


def show_change(ratio: float) -> str:
    """Show a ratio of branch to base as a signed percentage: 1.38 -> ``+38.0 %``."""
    change = (ratio - 1) * 100
    if abs(change) >= 1000:
        return f"×{ratio:,.3g}"
    return f"{round(change, 1) + 0.0:+.1f} %"  # adding zero turns -0.0 into 0.0


def show_number(value: float) -> str:
    """Show a measured number with three significant digits: 0.14159 -> ``0.142``."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def show_slope(value: float) -> str:
    """Show what a session adds, with three significant digits; next to nothing is ``0``."""
    return "0" if abs(value) < 0.0005 else show_number(value)


def _decimals(value: float) -> int:
    return 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0
