"""Quantities as text for people."""

from collections.abc import Callable

import pytest

from harness.model.units import (
    show_bytes,
    show_change,
    show_count,
    show_number,
    show_ratio,
    show_seconds,
)


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
def test_show_rounds_to_significant_digits(
    show: Callable[[float], str], value: float, expected: str
) -> None:
    """Digits are significant, and thousands are separated."""
    assert show(value) == expected
