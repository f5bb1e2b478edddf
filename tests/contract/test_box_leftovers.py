"""Leftovers of a killed run are found from every local box."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.adapters.local.box import LocalBox
from harness.adapters.local.store import LocalStore
from harness.model.errors import NoBoxError
from tests.hosts.box_sides import open_enforcement, open_side

pytestmark = [pytest.mark.cgroup, pytest.mark.watchdog]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder on a disk, as builds and cells need it."""
    with TemporaryDirectory(prefix="esc-bench-test-", dir="/var/tmp") as name:
        yield Path(name)


@pytest.mark.parametrize(("kind", "other"), [("cgroup", "watchdog"), ("watchdog", "cgroup")])
def test_what_one_box_left_is_removed_from_another(folder: Path, kind: str, other: str) -> None:
    """A box ends processes and control groups that another box made."""
    with open_side(kind, folder) as side:
        is_there = side.leave("esc-dead-1", side.box.find_base_image(""))
        box = LocalBox(open_enforcement(other), lambda _: None, LocalStore(folder))
        assert len(box.reap()) == 1
        assert not is_there()
        assert box.reap() == []
        box.close()


def test_a_strange_file_among_the_runs_stops_nobody(folder: Path) -> None:
    """A folder that is no run's is ignored, and stays."""
    store = LocalStore(folder)
    (store.runs / "stray.txt").touch()
    (store.runs / "esc-link").symlink_to("/etc")
    box = LocalBox(open_enforcement("watchdog"), lambda _: None, store)
    box.close()
    assert box.reap() == []
    assert (store.runs / "stray.txt").exists()
    assert Path("/etc").is_dir()


@pytest.mark.parametrize("name", ["", "builds", "runs"])
def test_a_store_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    """A link planted by another user is refused."""
    root = folder / "store"
    (folder / "elsewhere").mkdir()
    if name:
        root.mkdir()
    (root / name if name else root).symlink_to(folder / "elsewhere")
    with pytest.raises(NoBoxError, match="is not a folder of this user"):
        LocalStore(root)


def test_a_store_is_open_to_all_whatever_the_umask(folder: Path) -> None:
    """A cell may run as somebody else, who has to get to its scratch."""
    before = os.umask(0o077)
    try:
        cell = LocalStore(folder / "store").make_cell("esc-1", None)
    finally:
        os.umask(before)
    made = (cell / "scratch", cell, *cell.parents[:3])
    assert [path.stat().st_mode & 0o777 for path in made] == [0o755] * len(made)
