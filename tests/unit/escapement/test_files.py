"""How many files are open at once, however many write, and how they are written."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from escapement import Checkpoint, CheckpointError, FileBackedStore
from escapement.storage.files import OPEN_MAX, close_file, open_file
from escapement.storage.transcript import Scribe
from tests.unit.escapement.scenes import PATIENCE_S

THREADS = OPEN_MAX + 64


class Gauge:
    """Stands in for the system's open and close, and counts what is open between them."""

    def __init__(self) -> None:
        self.most = 0
        self.full = threading.Event()
        self._open: set[int] = set()
        self._system_open = os.open
        self._system_close = os.close

    def open(self, path: str, flags: int, mode: int) -> int:
        """Open a file, and hold it until as many are open as may be."""
        descriptor = self._system_open(path, flags, mode)
        self._open.add(descriptor)
        self.most = max(self.most, len(self._open))
        if self.most >= OPEN_MAX:
            self.full.set()
        assert self.full.wait(PATIENCE_S)
        return descriptor

    def close(self, descriptor: int) -> None:
        """Close a file."""
        self._open.discard(descriptor)
        self._system_close(descriptor)


def test_files_open_at_once_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More threads than there may be files write and read, and all get through within the bound."""
    store, record = FileBackedStore(tmp_path), Checkpoint("c", ("a",), {})
    store.save("read", record)
    gauge = Gauge()
    monkeypatch.setattr(os, "open", gauge.open)
    monkeypatch.setattr(os, "close", gauge.close)
    together = threading.Barrier(THREADS)

    def work(number: int) -> None:
        together.wait(PATIENCE_S)
        if number % 3 == 0:
            store.save(f"{number}", record)
        elif number % 3 == 1:
            Scribe(tmp_path / f"{number}.jsonl").write([("one", {})])
        else:
            assert store.load("read") == record

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert gauge.most == OPEN_MAX
    assert len(list(tmp_path.glob("*.json*"))) == 1 + sum(n % 3 != 2 for n in range(THREADS))


def test_files_that_can_not_be_opened_use_up_nothing(tmp_path: Path) -> None:
    """However often a file can't be opened, the next one is."""
    store = FileBackedStore(tmp_path / "inner")
    (tmp_path / "inner").rmdir()
    for _ in range(OPEN_MAX + 1):
        assert store.load("s") is None
        with pytest.raises(CheckpointError):
            store.save("s", Checkpoint("c", ("a",), {}))
    close_file(open_file(str(tmp_path), os.O_RDONLY))


def test_file_that_is_closed_already_uses_up_nothing(tmp_path: Path) -> None:
    """A close that fails, as on a full network disk, gives the place back all the same."""
    for _ in range(OPEN_MAX + 1):
        descriptor = open_file(str(tmp_path), os.O_RDONLY)
        os.close(descriptor)
        with pytest.raises(OSError, match="Bad file descriptor"):
            close_file(descriptor)
