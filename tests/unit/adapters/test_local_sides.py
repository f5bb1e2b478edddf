"""The folders of local sides: their paths, their content, and their removal."""

import sys
import tempfile
from pathlib import Path

import pytest

from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.host.trees import read_tree
from harness.model.nouns import Side
from harness.model.tree import Entry, Tree
from tests.builders.model import make_tree


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_sides_are_written_to_paths_of_one_length(temporary: Path) -> None:
    """A longer path would cost its side more."""
    entries = make_tree(pump="SPEED = 1\n").entries
    link = Entry(path="src/escapement/link.py", kind="link", content=b"pump.py")
    tool = Entry(path="src/tool", kind="file", content=b"#!/bin/sh\n", executable=True)
    trees = {Side.BASE: Tree((*entries, link, tool)), Side.BRANCH: make_tree()}
    with LocalSideFolders().open(trees) as places:
        base, branch = places[Side.BASE], places[Side.BRANCH]
        assert base != branch
        assert len(base) == len(branch)
        assert read_tree(Path(base)).subject_hash == trees[Side.BASE].subject_hash
        assert Path(base, "src/tool").stat().st_mode & 0o777 == 0o755
        assert list(Path(base, "src/escapement/__pycache__").glob("pump.*.pyc"))
    assert list(temporary.iterdir()) == []


def test_sides_of_two_runs_have_paths_of_one_length(temporary: Path) -> None:
    """A longer name would cost a little more for each opened file."""
    places = []
    for _ in range(2):
        with LocalSideFolders().open({Side.BASE: make_tree()}) as opened:
            places.append(opened[Side.BASE])
            LocalSideFolders().open({})  # its owner is alive: another run leaves it
    first, second = places
    assert first != second
    assert (
        len(first) == len(second) == len(f"{temporary}/esc-bench-count-esc-01234567/side-0") + 39
    )
    assert list(temporary.iterdir()) == []


def test_sides_are_removed_when_the_block_raises(temporary: Path) -> None:
    """Ctrl-C leaves no folder."""
    sides = LocalSideFolders()
    with pytest.raises(KeyboardInterrupt), sides.open({Side.BASE: make_tree()}):
        raise KeyboardInterrupt
    assert list(temporary.iterdir()) == []


def test_sides_that_do_not_parse_are_written(temporary: Path) -> None:
    """The process that imports such a module reports the error."""
    with LocalSideFolders().open({Side.BASE: make_tree(pump="def\n")}) as places:
        assert Path(places[Side.BASE], "src/escapement/pump.py").read_text() == "def\n"
    assert list(temporary.iterdir()) == []


def test_sides_of_a_killed_run_are_removed_by_the_next(temporary: Path) -> None:
    """A folder of another name stays."""
    (temporary / "esc-bench-count-esc-1-1-1").mkdir()
    (temporary / "esc-bench-count-else").mkdir()
    with LocalSideFolders().open({}):
        pass
    assert [folder.name for folder in temporary.iterdir()] == ["esc-bench-count-else"]


def test_sides_of_a_living_run_are_not_removed_by_another(temporary: Path) -> None:
    """Two runs count on one machine at once."""
    trees = {Side.BASE: make_tree()}
    with LocalSideFolders().open(trees) as one:
        with LocalSideFolders().open(trees):
            pass
        assert (Path(one[Side.BASE]) / "work").is_dir()
    assert list(temporary.iterdir()) == []


def test_sides_of_this_host_have_one_confinement(temporary: Path) -> None:
    """It is found once and is one sentence, for any user."""
    sides = LocalSideFolders()
    assert sides.confined is sides.confined
    assert sides.confinement.startswith(("unprivileged", "without", "as this user", "unconfined"))
    assert sides.python.endswith(f" {sys.version.split()[0]}")
    assert list(temporary.iterdir()) == []
