"""Killed runs in every store, and their files in the one on disk."""

import resource
import signal
from pathlib import Path

import pytest
from msgspec import structs

from harness.adapters.host.owner import own_run_id
from harness.adapters.results.files import Disk, ResultFiles
from harness.adapters.results.store import FilesStore
from harness.analysis.comparison import compare
from harness.model.errors import DisturbedError, UsageError
from harness.report.derived import report_of
from harness.verbs.ports import Store
from tests.builders.model import make_cell, make_observation
from tests.contract.test_store import CELLS, RUN
from tests.fakes.fake_box import Killed
from tests.fakes.fake_disk import KillingDisk, dead_run_id
from tests.fakes.fake_store import FakeStore

RESUMED = structs.replace(RUN, run_id="esc-2-2-2", resumed=("2026-11-30T12:40:00Z",))


@pytest.fixture(params=["fake", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store, empty."""
    return FakeStore() if request.param == "fake" else FilesStore(tmp_path / "results")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of results."""
    return tmp_path / "results"


def _interrupted(store: Store) -> str:
    """Store the first cell of a run without a report; return the folder."""
    writer = store.open_run(RUN, "sc-mem-a-b")
    writer.add_cell(CELLS[0], make_observation())
    return writer.folder


def test_store_has_the_run_with_its_first_cell(store: Store) -> None:
    """A run that is killed before its first table can be read, and is incomplete."""
    assert store.load(_interrupted(store)) == (RUN, CELLS[:1], False)


def test_store_continues_a_run(store: Store) -> None:
    """The record is new from the start, and new cells follow the stored ones."""
    folder = _interrupted(store)
    writer, removed = store.reopen_run(folder, RESUMED, CELLS[:1])
    assert removed == []
    assert writer.folder == folder
    assert writer.holds_cells
    assert store.load(folder) == (RESUMED, CELLS[:1], False)
    writer.add_cell(CELLS[1], make_observation())
    writer.write(report_of(compare(RESUMED, CELLS, complete=True)))
    assert store.load(folder) == (RESUMED, CELLS, True)


def test_store_finds_a_run_by_its_name_alone(store: Store) -> None:
    """The name in the index is enough."""
    name = _interrupted(store).rpartition("/")[2]
    assert store.load(name)[1] == CELLS[:1]
    writer, _ = store.reopen_run(name, RESUMED, CELLS[:1])
    assert writer.folder.endswith(f"/{name}")


def test_store_without_leftovers_prunes_nothing(store: Store) -> None:
    """Neither before the first run nor after one."""
    assert store.prune() == []
    _interrupted(store)
    assert store.prune() == []


def test_files_store_reports_a_torn_line_that_it_drops(root: Path) -> None:
    """The next line would be appended to it; its cell is run again."""
    store = FilesStore(root)
    folder = _interrupted(store)
    cells = Path(folder) / "cells.jsonl"
    whole = cells.read_bytes()
    cells.write_bytes(whole + whole[:20])
    _, removed = store.reopen_run(folder, RESUMED, CELLS[:1])
    assert removed == [f"an unfinished last line of {cells}, 20 bytes: its cell is run again"]
    assert cells.read_bytes() == whole


def test_files_store_resumes_only_its_own_runs(root: Path, tmp_path: Path) -> None:
    """A run is resumed in the checkout of its builds."""
    folder = Path(_interrupted(FilesStore(root)))
    elsewhere = folder.rename(tmp_path / "elsewhere")
    store = FilesStore(root)
    assert store.load(str(elsewhere))[1] == CELLS[:1]
    with pytest.raises(UsageError, match=r"elsewhere is not in .*results — .*--repo"):
        store.reopen_run(str(elsewhere), RESUMED, CELLS[:1])


def _half(root: Path, at: int, owner: str) -> None:
    """Leave a half-written file of a process killed in its `at`th operation."""
    disk = KillingDisk(at)
    with pytest.raises(Killed):
        _interrupted(FilesStore(root, ResultFiles(root, disk, lambda: owner)))


@pytest.mark.parametrize(
    ("at", "left"),
    [(3, ".20261130T123456Z-sc-mem-a-b~"), (7, ".base-C500.log~")],
    ids=["folder", "file"],
)
def test_files_store_prunes_half_written_files_of_a_dead_process(
    root: Path, at: int, left: str
) -> None:
    """The owner is in the name; the path is returned."""
    owner = dead_run_id()
    _half(root, at, owner)
    (removed,) = FilesStore(root).prune()
    assert Path(removed).name == f"{left}{owner}"
    assert not Path(removed).exists()
    assert FilesStore(root).prune() == []


def test_files_store_keeps_half_written_files_of_a_living_process(root: Path) -> None:
    """A process on another host counts as alive."""
    for owner in (own_run_id(), "esc-0f0f0f0f-1-1-1"):
        _half(root, 3, owner)
    assert FilesStore(root).prune() == []
    assert len(list(root.rglob("*~esc-*"))) == 2


def test_files_store_prunes_below_results_alone(root: Path, tmp_path: Path) -> None:
    """No link is followed, and no file of another name is removed."""
    outside = tmp_path / "outside"
    _half(outside, 3, dead_run_id())
    root.mkdir()
    (root / "link").symlink_to(outside)
    (root / "notes~esc-1-1-1-1").write_text("mine")
    assert FilesStore(root).prune() == []
    whole = tmp_path / "whole"
    whole.symlink_to(outside)
    assert FilesStore(whole).prune() == []


def test_files_store_drops_a_line_that_was_torn_within_a_character(root: Path) -> None:
    """A process can die between two bytes of one character."""
    store = FilesStore(root)
    writer = store.open_run(RUN, "x")
    writer.add_cell(make_cell(), make_observation())
    with (Path(writer.folder) / "cells.jsonl").open("ab") as lines:
        lines.write("{“".encode()[:-1])
    assert len(store.load(writer.folder)[1]) == 1


class ShortDisk(Disk):
    """A disk that writes half of a line and reports the length, as `write` does."""

    def append(self, path: Path, data: bytes) -> None:
        """Append under a limit of half the line."""
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + len(data) // 2, limit[1]))
        try:
            super().append(path, data)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
            signal.signal(signal.SIGXFSZ, ignored)


def test_files_store_removes_a_line_without_room(root: Path) -> None:
    """A short write leaves nothing, and the run ends as disturbed."""
    store = FilesStore(root, ResultFiles(root, ShortDisk()))
    writer = store.open_run(RUN, "x")
    with pytest.raises(DisturbedError, match="No space left on device"):
        writer.add_cell(make_cell(), make_observation())
    assert (Path(writer.folder) / "cells.jsonl").read_bytes() == b""


def test_files_store_reads_nothing_through_a_link(root: Path) -> None:
    """Files in results/ may come from the branch: a linked record is not read."""
    store = FilesStore(root)
    (root / "linked").mkdir(parents=True)
    (root / "linked/compare.json").symlink_to("/dev/zero")
    (root / "away").symlink_to("/")
    writer = store.open_run(RUN, "x")
    cell = make_cell()
    writer.add_cell(cell, make_observation())
    writer.write(report_of(compare(RUN, [cell], complete=False)))
    index = (root / "index.md").read_text()
    assert "linked" in index
    assert "away" not in index
    with pytest.raises(UsageError, match="is not the folder of a run"):
        store.load("linked")


def test_files_store_refuses_an_impossible_name(root: Path) -> None:
    """The error is one line."""
    with pytest.raises(UsageError, match="is not the folder of a run"):
        FilesStore(root).load("x" * 5000)
