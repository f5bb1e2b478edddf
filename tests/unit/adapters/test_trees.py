"""Build contexts as they are read from a folder."""

import os
from pathlib import Path

import pytest

from harness.adapters.host import trees
from harness.adapters.host.trees import read_tree
from harness.model.errors import RepoError


def test_tree_keeps_a_name_that_is_not_text(tmp_path: Path) -> None:
    """A file name may be any bytes; the probe hashes the same bytes."""
    folder = tmp_path / "src/escapement"
    folder.mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).write_text("")
    (entry,) = read_tree(tmp_path).entries
    assert os.fsencode(entry.path) == b"src/escapement/\xff.py"


def test_tree_with_an_unreadable_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file; the file is never silently left out of the build."""
    (tmp_path / "Dockerfile").write_text("")

    def refuse(path: Path, **_: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(trees, "read_plain", refuse)
    with pytest.raises(RepoError, match=r"cannot read .*Dockerfile: Permission denied"):
        read_tree(tmp_path)
