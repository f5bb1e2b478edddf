"""Defaults from pyproject.toml."""

import re
from pathlib import Path

import pytest

from harness.adapters.host.pyproject import read_defaults
from harness.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, {}),
        ("[project]\nname = 'x'\n", {}),
        ("[tool.other]\na = 1\n", {}),
        ("[tool.esc-bench]\ncpus = 4\n", {"cpus": 4}),
    ],
)
def test_defaults_are_read_from_pyproject(
    tmp_path: Path, text: str | None, expected: dict[str, object]
) -> None:
    """A checkout without the file or the table has no defaults of its own."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert read_defaults(tmp_path) == expected


@pytest.mark.parametrize("text", [b"[tool", b"\xff", b"tool.esc-bench = 3\n"])
def test_defaults_of_a_broken_file_are_a_usage_error(tmp_path: Path, text: bytes) -> None:
    """The error names the file."""
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "pyproject.toml"))):
        read_defaults(tmp_path)
