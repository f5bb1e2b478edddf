"""From the text of a setting to its value; an error names where the text came from."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS, Margin
from harness.model.nouns import Arm, Load
from harness.model.request import AUTO, BOXES

T = TypeVar("T")
_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SWITCHES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_MARGIN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(%?)")
_SHOWN = 80  # characters of what was typed


def parse_text(text: str, *, where: str) -> str:
    """Return the text as it is."""
    del where
    return text


def optional(parse: Callable[..., T]) -> Callable[..., T | None]:
    """Return a parser that returns None for an empty text."""

    def parse_or_none(text: str, *, where: str) -> T | None:
        return parse(text, where=where) if text else None

    return parse_or_none


def parse_memory_bytes(text: str, *, where: str) -> int:
    """Parse a memory cap as Docker spells it.

    Args:
        text: A number with an optional unit b, k, m or g (powers of 1024), as in ``2g``.
        where: The flag or variable that the text came from.

    Returns:
        Bytes, at least 6 MiB, the engine's own minimum.

    Raises:
        UsageError: The text does not parse, or is below the minimum.
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
    """Parse a duration such as ``600``, ``90s`` or ``20m`` into seconds.

    Raises:
        UsageError: The text does not parse, or is not above zero.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*(ms|s|m|h)?", text.strip().lower())
    value = float(match[1]) * _SECONDS[match[2] or ""] if match else 0.0
    if value <= 0:
        msg = f"{where}: {text[:_SHOWN]!r} is not a duration above zero"
        raise UsageError(msg, hint="write for example 600s or 10m")
    return value


def parse_number(text: str, *, where: str, least: float = 0.0) -> float:
    """Parse a finite number above `least`.

    Raises:
        UsageError: The text is no such number.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least < value < float("inf"):
        msg = f"{where}: {text[:_SHOWN]!r} is not a number above {least:g}"
        raise UsageError(msg, hint="write for example 2 or 1.5")
    return value


def parse_cpus(text: str, *, where: str) -> float:
    """Parse a number of CPUs.

    Raises:
        UsageError: The text is no number, or below what the kernel can enforce.
    """
    cpus = parse_number(text, where=where)
    if cpus < 0.01:
        msg = f"{where}: {text} CPUs is below 0.01, the smallest share that the kernel enforces"
        raise UsageError(msg, hint="ask for more")
    return cpus


def parse_whole(text: str, *, where: str, least: int = 1) -> int:
    """Parse a whole number of at least `least`.

    Raises:
        UsageError: The text is no such number.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) >= least):
        msg = f"{where}: {text[:_SHOWN]!r} is not a whole number of at least {least}"
        raise UsageError(msg, hint="write it in digits")
    return int(digits)


def parse_switch(text: str, *, where: str) -> bool:
    """Parse yes or no.

    Raises:
        UsageError: The text is neither.
    """
    try:
        return _SWITCHES[text.strip().lower()]
    except KeyError:
        msg = f"{where}: {text!r} is neither yes nor no"
        raise UsageError(msg, hint="write yes or no") from None


def parse_levels(text: str, *, where: str) -> tuple[int, ...]:
    """Parse a ladder of concurrencies.

    Args:
        text: Levels with commas or spaces between them; ``500..4000`` doubles from the first to the last.
        where: The flag or variable that the text came from.

    Returns:
        Ascending positive integers, at least one.

    Raises:
        UsageError: A level is not a positive whole number, or they do not ascend.
    """
    words = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    levels = tuple(level for word in words for level in _doubling(word, where=where))
    if not levels or any(low >= high for low, high in itertools.pairwise(levels)):
        msg = f"{where}: {','.join(words) or 'nothing'} does not ascend"
        raise UsageError(msg, hint="write levels as in 500,1000,2000 or 500..2000")
    return levels


def parse_load(text: str, *, where: str) -> Load:
    """Parse a load: TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]].

    Raises:
        UsageError: There are not four to six numbers, or one is not whole.
    """
    words = text.replace(",", " ").split()
    if not 4 <= len(words) <= 6:
        msg = f"{where}: {' '.join(words)!r} is not a load"
        hint = "write TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]], as in '6 200 50 5'"
        raise UsageError(msg, hint=hint)
    turns = parse_whole(words[0], where=where)
    rest = [parse_whole(word, where=where, least=0) for word in words[1:]]
    ttft_ms, tokens, tok_ms, qsleep_ms, state_kb = (*rest, 0, 0)[:5]
    return Load(
        turns=turns,
        ttft_ms=ttft_ms,
        tokens=tokens,
        tok_ms=tok_ms,
        qsleep_ms=qsleep_ms,
        state_kb=state_kb,
    )


def parse_arm(text: str, *, where: str) -> Arm:
    """Parse the name of an arm.

    Raises:
        UsageError: There is no such arm.
    """
    try:
        return Arm(text)
    except ValueError:
        msg = f"{where}: there is no arm {text!r}"
        hint = f"the arms are {', '.join(Arm)}; `invoke arms` explains them"
        raise UsageError(msg, hint=hint) from None


def parse_box(text: str, *, where: str) -> str:
    """Parse the kind of a box.

    Raises:
        UsageError: There is no such kind.
    """
    if text not in {AUTO, *BOXES}:
        msg = f"{where}: there is no box {text!r}"
        raise UsageError(msg, hint=f"write {AUTO}, {', '.join(BOXES[:-1])} or {BOXES[-1]}")
    return text


def parse_variable(text: str, *, where: str) -> tuple[str, str]:
    """Parse ``NAME=VALUE`` into a name and a value.

    Raises:
        UsageError: There is no ``=``, or no environment can hold the name or the value.
    """
    name, equals, value = text.partition("=")
    if not equals or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None or "\0" in value:
        msg = f"{where}: {text!r} is not a setting"
        raise UsageError(msg, hint="write NAME=VALUE, as in SCALE_STATE_KB=64")
    return name, value


def parse_margins(table: object, *, where: str) -> dict[str, Margin]:
    """Return the default margins, overridden by a table; ``"off"`` removes one.

    Raises:
        UsageError: There is no such metric, or its value is no margin.
    """
    margins = dict(DEFAULT_MARGINS)
    for name, value in as_table(table, where=where).items():
        if name not in DEFAULT_MARGINS:
            msg = f"{where} {name}: there is no such metric"
            raise UsageError(msg, hint=f"the metrics are {', '.join(DEFAULT_MARGINS)}")
        if value == "off":
            del margins[name]
        else:
            margins[name] = parse_margin(str(value), where=f"{where} {name}")
    return margins


def parse_margin(text: str, *, where: str) -> Margin:
    """Parse a margin: ``10 %`` of the base, or ``0.5`` in the metric's own unit.

    Raises:
        UsageError: The text is neither.
    """
    match = _MARGIN.fullmatch(text.strip())
    if match is None:
        msg = f"{where}: {text!r} is not a margin"
        raise UsageError(
            msg, hint='write "10 %" for a share of the base, or a number in the metric\'s own unit'
        )
    amount = float(match[1])
    return Margin(amount=amount / 100 if match[2] else amount, is_relative=bool(match[2]))


def as_table(value: object, *, where: str) -> Mapping[str, object]:
    """Return a value of pyproject.toml that has to be a table.

    Raises:
        UsageError: It is something else.
    """
    if not isinstance(value, dict):
        msg = f"{where} in pyproject.toml is {value!r}, and it has to be a table"
        raise UsageError(msg, hint=f"write its settings under the heading {where}")
    return {str(name): item for name, item in value.items()}


def _doubling(text: str, *, where: str) -> Iterator[int]:
    first, dots, last = text.partition("..")
    level = parse_whole(first, where=where)
    top = parse_whole(last, where=where) if dots else level
    while level <= top:
        yield level
        level *= 2
