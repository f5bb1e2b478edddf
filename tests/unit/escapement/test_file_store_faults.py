"""Checkpoints in files when the disk, another process or a kill comes in between."""

import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from escapement import Checkpoint, CheckpointError, FileBackedStore
from tests.unit.escapement.records import RECORD


def test_directory_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    """A store where a file stands is refused at once."""
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file: can't keep checkpoints there"):
        FileBackedStore(tmp_path / "file")


def test_failed_write_keeps_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails, the checkpoint before still stands."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CheckpointError, match=r"s\.json: can't write .*No space left on device"):
        store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


@contextmanager
def small_files() -> Iterator[None]:
    """Let this process write no file beyond 4096 bytes; the rest of a write is refused.

    For the length of one call alone: what the test runner prints may go to a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_record_that_is_written_in_part_is_removed(tmp_path: Path) -> None:
    """When the system really refuses the rest of a record, nothing of it stays."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    refused = pytest.raises(CheckpointError, match=r"s\.json: can't write .*File too large")
    with refused, small_files():
        store.save("s", Checkpoint("c", ("b",), {"big": "x" * 5000}))
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is whole even if the system takes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    """A half-written record is never read, and the next save takes its place."""
    (tmp_path / "s.json.tmp").write_bytes(b'{"format":2,' + b" " * 10_000)
    store = FileBackedStore(tmp_path)
    assert store.load("s") is None
    store.save("s", RECORD)
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_session_that_another_process_saves_is_refused(tmp_path: Path) -> None:
    """Two that save one session at the same moment can't mix their records: one is told."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with (tmp_path / "s.json.tmp").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match=r"s\.json: another process is saving .* 's'"):
            store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD


@pytest.mark.parametrize("fate", ["put in place", "removed", "removed empty", "replaced"])
def test_temporary_file_that_changes_hands_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """What another process renames or removes between opening and locking is left as it is."""
    path, temporary = tmp_path / "s.json", tmp_path / "s.json.tmp"
    record = b"" if fate == "removed empty" else b"the other's record"
    seen: list[BinaryIO] = []

    def lock(descriptor: int, operation: int) -> None:
        if not seen:
            os.write(descriptor, record)
            seen.append(temporary.open("rb"))
            temporary.rename(path)
            if fate.startswith("removed"):
                path.unlink()
            if fate == "replaced":
                temporary.write_bytes(b"of a third")
        fcntl.flock(descriptor, operation)

    monkeypatch.setattr("escapement.storage.file_store.flock", lock)
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with seen[0] as theirs:
        assert theirs.read() == record
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_threads_that_save_one_session_never_corrupt_it(tmp_path: Path) -> None:
    """Many that save one session at once get errors at worst; every record that is read is whole."""
    stores = [FileBackedStore(tmp_path) for _ in range(4)]
    records = [RECORD._replace(data={"of": i, "text": f"{i}" * 3000 * i}) for i in range(4)]
    stores[0].save("s", records[0])

    def save(i: int) -> int:
        refused = 0
        for _ in range(100):
            try:
                stores[i].save("s", records[i])
            except CheckpointError as error:
                assert "another process" in str(error)  # noqa: PT017  any other is a failure
                refused += 1
            assert stores[i].load("s") in records
        return refused

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(save, range(4))) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_folder_that_vanishes_is_named(tmp_path: Path) -> None:
    """A store whose folder was removed says so, and doesn't go on in an empty one."""
    store = FileBackedStore(tmp_path / "inner")
    (tmp_path / "inner").rmdir()
    with pytest.raises(CheckpointError, match=r"inner/s\.json: can't write .*No such file"):
        store.save("s", RECORD)
    assert store.load("s") is None


def test_store_works_without_the_c_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that lacks the accelerator writes the same bytes."""
    FileBackedStore(tmp_path).save("s", RECORD)
    fast = (tmp_path / "s.json").read_bytes()
    monkeypatch.setattr("escapement.storage.json_line._make_c_encoder", None)
    FileBackedStore(tmp_path).save("s", RECORD)
    assert (tmp_path / "s.json").read_bytes() == fast


@pytest.fixture
def nobody() -> Iterator[None]:
    """Take from this process what root may do."""
    before = os.geteuid()
    if not before:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_file_that_may_not_be_read_is_named(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A record that belongs to somebody else is named, and not taken for one that isn't there."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    (tmp_path / "s.json").chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(
        CheckpointError, match=r"s\.json: can't read .*Permission denied.*readable"
    ):
        store.load("s")


@pytest.mark.parametrize("name", ["s.json", "s.json.tmp"])
def test_folder_in_a_records_place_is_named(tmp_path: Path, name: str) -> None:
    """A folder where a record belongs is left as it is, and nothing is left beside it."""
    (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=r"s\.json: can't write .*Is a directory"):
        FileBackedStore(tmp_path).save("s", RECORD)
    assert [path.name for path in tmp_path.iterdir()] == [name]
