"""The lines that the probe prints."""

import io

import pytest

from harness.probe.protocol import write_line, write_pretty


def test_line_is_one_word_and_one_map() -> None:
    """The host splits a line at its first space."""
    out = io.StringIO()
    write_line(out, "RESULT", {"b": 1, "a": None, "s": "x\ny"})
    assert out.getvalue() == 'RESULT {"b": 1, "a": null, "s": "x\\ny"}\n'


def test_pretty_map_has_one_sorted_key_a_line() -> None:
    """A nested map stays on its line."""
    out = io.StringIO()
    write_pretty(out, {"b": {"z": 1, "y": 2}, "C": 3, "a": None})
    assert out.getvalue() == '{\n  "C": 3,\n  "a": null,\n  "b": {"z": 1, "y": 2}\n}\n'


def test_line_refuses_nan() -> None:
    """NaN is refused: each reader would read it differently."""
    with pytest.raises(ValueError, match="JSON"):
        write_line(io.StringIO(), "RESULT", {"a": float("nan")})
