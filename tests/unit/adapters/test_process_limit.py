"""The default limit of a cell's processes."""

from pathlib import Path

import pytest

from harness.adapters.host.cgroups import backstop_pids


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"pid_max": "32768\n", "threads-max": "192729\n"}, 24_576),
        ({"pid_max": "4194304\n", "threads-max": "127000\n"}, 95_250),
        ({"pid_max": "max\n", "threads-max": "1000\n"}, 750),
        ({}, 24_576),
    ],
)
def test_backstop_is_three_quarters_of_the_tightest_limit(
    tmp_path: Path, files: dict[str, str], most: int
) -> None:
    """A quarter stays with the host; an unknown limit is the kernel's default."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert backstop_pids(tmp_path) == most
