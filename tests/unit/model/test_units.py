"""Quantities as people type and read them."""

from collections.abc import Callable

import pytest

from harness.cli.settings import parse_memory_bytes, parse_number, parse_seconds, parse_whole
from harness.model.errors import UsageError
from harness.model.units import (
    show_bytes,
    show_change,
    show_count,
    show_number,
    show_ratio,
    show_seconds,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2g", 2048 * MIB),
        ("2G", 2048 * MIB),
        (" 512m ", 512 * MIB),
        ("512 m", 512 * MIB),
        ("512mb", 512 * MIB),
        ("512MiB", 512 * MIB),
        ("0.5g", 512 * MIB),
        ("8192k", 8 * MIB),
        ("6291456", 6 * MIB),
        ("6291456b", 6 * MIB),
    ],
)
def test_parse_memory_bytes_reads_what_docker_reads(text: str, expected: int) -> None:
    """Units are powers of 1024 and their case does not matter."""
    assert parse_memory_bytes(text, where="--mem") == expected


@pytest.mark.parametrize("text", ["", "2x", "-2g", "2 g b", "nan", "g", "1e9", "9" * 400, "2tb"])
def test_parse_memory_bytes_refuses_what_is_no_amount(text: str) -> None:
    """The message names the flag and the text, and shows how it is written."""
    with pytest.raises(UsageError) as caught:
        parse_memory_bytes(text, where="--mem")
    assert str(caught.value) == (
        f"--mem: {text[:80]!r} is not an amount of memory — write for example 512m or 2g"
    )


def test_parse_memory_bytes_refuses_less_than_the_engine_makes() -> None:
    """The engine's own minimum is told before the engine is asked."""
    with pytest.raises(UsageError, match=r"^MEM in the environment: '5m' is below 6m"):
        parse_memory_bytes("5m", where="MEM in the environment")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600", 600.0),
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h", 3600.0),
        ("1.5S", 1.5),
        ("250ms", 0.25),
    ],
)
def test_parse_seconds_reads_durations(text: str, expected: float) -> None:
    """A bare number is seconds."""
    assert parse_seconds(text, where="--timeout") == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "10d", "soon", "1m30s", "9" * 400])
def test_parse_seconds_refuses_what_ends_no_cell(text: str) -> None:
    """A time limit of nothing, or of no end, is no limit."""
    with pytest.raises(UsageError, match=r"^--timeout: .* is not a duration above zero"):
        parse_seconds(text, where="--timeout")


@pytest.mark.parametrize(("text", "expected"), [("2", 2.0), ("1.5", 1.5), (" 0.25 ", 0.25)])
def test_parse_number_reads_decimals(text: str, expected: float) -> None:
    """Shares of a CPU are fine."""
    assert parse_number(text, where="--cpus") == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e999", "two", "1,5"])
def test_parse_number_refuses_what_is_not_finite_and_above(text: str) -> None:
    """Neither zero, nor a negative, nor infinity, nor NaN caps anything."""
    with pytest.raises(UsageError, match=r"^--cpus: .* is not a number above 0"):
        parse_number(text, where="--cpus")


@pytest.mark.parametrize(
    ("text", "least", "expected"), [("1", 1, 1), (" 500 ", 1, 500), ("0", 0, 0)]
)
def test_parse_whole_reads_digits(text: str, least: int, expected: int) -> None:
    """The least itself is allowed."""
    assert parse_whole(text, where="--levels", least=least) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "+5", "1.0", "1e3", "1_000", "٥", "²", "9" * 10, "9" * 5000]
)
def test_parse_whole_refuses_all_but_plain_digits(text: str) -> None:
    """What Python's int would take beyond ASCII digits is refused, and so is what no host could run."""
    with pytest.raises(UsageError, match=r"^--levels: .* is not a whole number of at least 1"):
        parse_whole(text, where="--levels")


@pytest.mark.parametrize(
    ("show", "value", "expected"),
    [
        (show_count, 16000, "16,000"),
        (show_count, 8, "8"),
        (show_bytes, 512, "512 B"),
        (show_bytes, 1024, "1 KiB"),
        (show_bytes, 1536, "1.5 KiB"),
        (show_bytes, 2 << 30, "2 GiB"),
        (show_bytes, 5 << 40, "5120 GiB"),
        (show_seconds, 600.0, "600 s"),
        (show_seconds, 1.234, "1.2 s"),
        (show_seconds, 9.96, "10.0 s"),
        (show_ratio, 3.184, "3.18×"),
        (show_ratio, 123.45, "123.5×"),
        (show_ratio, 12345.6, "12346×"),
        (show_change, 1.38, "+38.0 %"),
        (show_change, 0.5, "-50.0 %"),
        (show_change, 1.0, "+0.0 %"),
        (show_change, 0.9999, "+0.0 %"),
        (show_change, 62.0, "×62"),
        (show_number, 0.14159, "0.142"),
        (show_number, 16000.4, "16,000"),
        (show_number, 999.4, "999"),
    ],
)
def test_show_rounds_as_a_reader_wants(
    show: Callable[[float], str], value: float, expected: str
) -> None:
    """Each quantity has the digits that mean something, and thousands are separated."""
    assert show(value) == expected
