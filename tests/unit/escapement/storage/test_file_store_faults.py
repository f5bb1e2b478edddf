"""Checkpoints in files with disk errors, other processes and killed ones."""

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


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A store in the place of a file is an error at once."""
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file: cannot store checkpoints there"):
        FileBackedStore(tmp_path / "file")


def test_failed_write_keeps_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a disk error, the previous checkpoint is unchanged."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CheckpointError, match=r"s\.json: cannot write .*No space left on device"):
        store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


@contextmanager
def small_files() -> Iterator[None]:
    """Limit the files of this process to 4096 bytes; longer writes fail in part.

    Use it for one call only: the output of the test runner may go to a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_partly_written_record_is_removed(tmp_path: Path) -> None:
    """After a real partial write, no temporary file is left."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    refused = pytest.raises(CheckpointError, match=r"s\.json: cannot write .*File too large")
    with refused, small_files():
        store.save("s", Checkpoint("c", ("b",), {"big": "x" * 5000}))
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is complete even if the system writes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD


def test_file_of_a_killed_process_is_overwritten(tmp_path: Path) -> None:
    """A partly written record is never read, and the next save overwrites it."""
    (tmp_path / "s.json.tmp").write_bytes(b'{"format":2,' + b" " * 10_000)
    store = FileBackedStore(tmp_path)
    assert store.load("s") is None
    store.save("s", RECORD)
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_simultaneous_save_by_another_process_is_an_error(tmp_path: Path) -> None:
    """Two processes that save one session cannot mix their records."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with (tmp_path / "s.json.tmp").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match=r"s\.json: another process is saving .* 's'"):
            store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD


@pytest.mark.parametrize("fate", ["put in place", "removed", "removed empty", "replaced"])
def test_temporary_file_replaced_before_the_lock_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """A file renamed or removed between opening and locking is left unchanged."""
    path, temporary = tmp_path / "s.json", tmp_path / "s.json.tmp"
    record = b"" if fate == "removed empty" else b"a record of another process"
    seen: list[BinaryIO] = []

    def lock(descriptor: int, operation: int) -> None:
        if not seen:
            os.write(descriptor, record)
            seen.append(temporary.open("rb"))
            temporary.rename(path)
            if fate.startswith("removed"):
                path.unlink()
            if fate == "replaced":
                temporary.write_bytes(b"a record of a third process")
        fcntl.flock(descriptor, operation)

    monkeypatch.setattr("escapement.storage.file_store.flock", lock)
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with seen[0] as other:
        assert other.read() == record
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_threads_that_save_one_session_never_corrupt_it(tmp_path: Path) -> None:
    """Simultaneous saves may fail, but every loaded record is complete."""
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
    """A save into a removed folder is an error, and does not make the folder again."""
    store = FileBackedStore(tmp_path / "inner")
    (tmp_path / "inner").rmdir()
    with pytest.raises(CheckpointError, match=r"inner/s\.json: cannot write .*No such file"):
        store.save("s", RECORD)
    assert store.load("s") is None


def test_store_works_without_the_c_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter without the C encoder writes the same bytes."""
    FileBackedStore(tmp_path).save("s", RECORD)
    fast = (tmp_path / "s.json").read_bytes()
    monkeypatch.setattr("escapement.storage.json_line._make_c_encoder", None)
    FileBackedStore(tmp_path).save("s", RECORD)
    assert (tmp_path / "s.json").read_bytes() == fast


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Remove the privileges of root from this process."""
    before = os.geteuid()
    if not before:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_file_without_read_permission_is_named(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The error for a record of another user names it; the record is not missing."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    (tmp_path / "s.json").chmod(0)
    request.getfixturevalue("unprivileged")
    with pytest.raises(
        CheckpointError, match=r"s\.json: cannot read .*Permission denied.*readable"
    ):
        store.load("s")


@pytest.mark.parametrize("name", ["s.json", "s.json.tmp"])
def test_folder_in_the_place_of_a_record_is_named(tmp_path: Path, name: str) -> None:
    """A folder in the place of a record is left unchanged, without a temporary file."""
    (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=r"s\.json: cannot write .*Is a directory"):
        FileBackedStore(tmp_path).save("s", RECORD)
    assert [path.name for path in tmp_path.iterdir()] == [name]
