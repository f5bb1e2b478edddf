"""The limit of open files, for any number of threads."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from escapement import Checkpoint, CheckpointError, FileBackedStore
from escapement.storage.files import OPEN_MAX, close_file, open_file
from escapement.storage.transcript import TranscriptWriter
from tests.unit.escapement.scenes import TIMEOUT_S

THREADS = OPEN_MAX + 64


class Gauge:
    """Replaces the system's open and close, and counts the open files."""

    def __init__(self) -> None:
        self.most = 0
        self.full = threading.Event()
        self._open: set[int] = set()
        self._system_open = os.open
        self._system_close = os.close

    def open(self, path: str, flags: int, mode: int) -> int:
        """Open a file, and wait until the limit of open files is reached."""
        descriptor = self._system_open(path, flags, mode)
        self._open.add(descriptor)
        self.most = max(self.most, len(self._open))
        if self.most >= OPEN_MAX:
            self.full.set()
        assert self.full.wait(TIMEOUT_S)
        return descriptor

    def close(self, descriptor: int) -> None:
        """Close a file, and stop to count it."""
        self._open.discard(descriptor)
        self._system_close(descriptor)


def test_open_files_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More threads than the limit write and read files, and all succeed."""
    store, record = FileBackedStore(tmp_path), Checkpoint("c", ("a",), {})
    store.save("read", record)
    gauge = Gauge()
    monkeypatch.setattr(os, "open", gauge.open)
    monkeypatch.setattr(os, "close", gauge.close)
    together = threading.Barrier(THREADS)

    def work(number: int) -> None:
        together.wait(TIMEOUT_S)
        if number % 3 == 0:
            store.save(f"{number}", record)
        elif number % 3 == 1:
            TranscriptWriter(tmp_path / f"{number}.jsonl").write([("one", {})])
        else:
            assert store.load("read") == record

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert gauge.most == OPEN_MAX
    assert len(list(tmp_path.glob("*.json*"))) == 1 + sum(n % 3 != 2 for n in range(THREADS))


def test_failed_opens_do_not_count(tmp_path: Path) -> None:
    """Any number of failed opens leaves the limit unchanged."""
    store = FileBackedStore(tmp_path / "inner")
    (tmp_path / "inner").rmdir()
    for _ in range(OPEN_MAX + 1):
        assert store.load("s") is None
        with pytest.raises(CheckpointError):
            store.save("s", Checkpoint("c", ("a",), {}))
    close_file(open_file(str(tmp_path), os.O_RDONLY))


def test_failed_closes_do_not_count(tmp_path: Path) -> None:
    """A failed close, as on a full network disk, still frees its place."""
    for _ in range(OPEN_MAX + 1):
        descriptor = open_file(str(tmp_path), os.O_RDONLY)
        os.close(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            close_file(descriptor)
