"""Disks on which one operation among many fails."""

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from harness.adapters.host.owner import own_run_id
from harness.adapters.results.files import Disk
from tests.fakes.fake_box import Killed


class FailingDisk(Disk, ABC):
    """Fails at one operation.

    Args:
        at: The number of the operation, from 1; 0 for none.
        torn: Whether half of the data is written before it fails.
    """

    def __init__(self, at: int = 0, *, torn: bool = False) -> None:
        self.count = 0
        self._at, self._torn = at, torn

    def make_folder(self, path: Path) -> None:
        """Make a folder, or fail."""
        self._step(lambda: None)
        super().make_folder(path)

    def create(self, path: Path, data: bytes) -> None:
        """Write a file, or fail before or during it."""
        self._step(lambda: Disk.create(self, path, data[: len(data) // 2]))
        super().create(path, data)

    def append(self, path: Path, data: bytes) -> None:
        """Append to a file, or fail before or during it."""
        self._step(lambda: Disk.append(self, path, data[: len(data) // 2]))
        super().append(path, data)

    def cut(self, path: Path, size: int) -> None:
        """Cut a file, or fail."""
        self._step(lambda: None)
        super().cut(path, size)

    def rename(self, source: Path, target: Path) -> None:
        """Rename, or fail."""
        self._step(lambda: None)
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        """Remove a file, or fail."""
        self._step(lambda: None)
        super().remove(path)

    def _step(self, tear: Callable[[], None]) -> None:
        self.count += 1
        error = self._error_at(self.count) if self._at else None
        if error is not None:
            if self._torn and self.count == self._at:
                tear()
            raise error

    @abstractmethod
    def _error_at(self, count: int) -> BaseException | None:
        """Return the error of an operation, by its number; None if it works."""


class KillingDisk(FailingDisk):
    """Kills the process at an operation; no later one works either."""

    def _error_at(self, count: int) -> BaseException | None:
        return Killed() if count >= self._at else None


class FullDisk(FailingDisk):
    """Is full at one operation, and has room for the next."""

    def _error_at(self, count: int) -> BaseException | None:
        return OSError(errno.ENOSPC, "No space left on device") if count == self._at else None


def dead_run_id() -> str:
    """Return a run id of this host whose process has ended."""
    word, where, pid, started, number = own_run_id().split("-")
    return f"{word}-{where}-{pid}-{int(started) - 1}-{number}"
