"""Files of results: there whole or not at all, below a folder that is no link, and known by their owner while they are half written."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.adapters.host.owner import is_alive, own_run_id
from harness.model.errors import DisturbedError, UsageError

_HALF = "~"  # of a name: what stands before it is what the file is to be called, what stands after it is who writes it


class Disk:
    """The operations on the file system, each of which a process may die before, in or after."""

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those above it; one that is there is fine."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path, data: bytes) -> None:
        """Write a file that is not there; a link of its name is not followed."""
        with path.open("xb") as file:
            file.write(data)
        path.chmod(0o644)

    def append(self, path: Path, data: bytes) -> None:
        """Add to the end of a file, and have it on the disk itself; a link is not followed."""
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(opened, "ab", buffering=0) as file:
            if file.write(data) != len(data):  # a disk takes what it has room for
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())

    def cut(self, path: Path, size: int) -> None:
        """Drop what a file has beyond a size, in bytes."""
        os.truncate(path, size)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file or a folder its name, in place of the file that has it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class ResultFiles:
    """What is written below one folder.

    Args:
        root: The folder; made when the first file is.
        disk: By what it is written.
        name_owner: Gives the run id that half-written files are marked with.
    """

    def __init__(
        self, root: Path, disk: Disk | None = None, name_owner: Callable[[], str] = own_run_id
    ) -> None:
        self.root = root
        self._disk = disk or Disk()
        self._name_owner = name_owner

    def replace(self, path: Path, text: str) -> None:
        """Write a file so that it is there whole or not at all."""
        self._disk.make_folder(path.parent)
        half = self._half(path)
        with self._removed_on_failure(half):
            self._disk.create(half, text.encode(errors="replace"))
            self._disk.rename(half, path)

    def make_whole(self, folder: Path, texts: dict[str, str]) -> None:
        """Make a folder so that it is there with these files in it or not at all."""
        half = self._half(folder)
        with self._removed_on_failure(half):
            self._disk.make_folder(half)
            for name, text in texts.items():
                self._disk.create(half / name, text.encode(errors="replace"))
            self._disk.rename(half, folder)

    def append(self, path: Path, line: str) -> None:
        """Add a line to a file; one that the disk has no room for leaves nothing behind."""
        size = path.stat().st_size
        try:
            self._disk.append(path, line.encode())
        except OSError:
            with suppress(OSError):  # a torn line is dropped by whoever reads it
                self._disk.cut(path, size)
            raise

    def drop_torn_line(self, path: Path) -> int:
        """Cut a file after its last whole line; return how many bytes went."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._disk.cut(path, whole)
        return len(data) - whole

    def try_out(self) -> None:
        """See that a file can be written there, or where the folder would be made."""
        place = self.root if self.root.exists() else self.root.parent
        tempfile.TemporaryFile(dir=place).close()  # which has no name that could be left

    def prune(self) -> list[str]:
        """Remove what processes that are no longer alive left half written; return the paths."""
        removed = []
        for half in self._halves():
            if not is_alive(half.name.rpartition(_HALF)[2]):
                with suppress(OSError):  # what this user may not remove is in nobody's way
                    self._disk.remove(half)
                    removed.append(str(half))
        return removed

    def _halves(self) -> Iterator[Path]:
        if self.root.is_symlink():
            return
        for place, folders, files in os.walk(self.root):  # which follows no link
            yield from (Path(place, name) for name in sorted([*folders, *files]) if is_half(name))
            folders[:] = [name for name in folders if not is_half(name)]

    def _half(self, path: Path) -> Path:
        return path.with_name(f".{path.name}{_HALF}{self._name_owner()}")

    @contextmanager
    def _removed_on_failure(self, half: Path) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(
                OSError
            ):  # what went wrong first is what is told; `prune` finds the rest
                self._disk.remove(half)
            raise


def is_half(name: str) -> bool:
    """Whether a file or a folder of that name is half written."""
    return name.startswith(".") and f"{_HALF}esc-" in name


def refuse_links(*paths: Path) -> None:
    """See that nothing is written through a link, which could lead anywhere.

    Raises:
        UsageError: One of them is a link.
    """
    for path in paths:
        if path.is_symlink():
            msg = f"{path} is a symbolic link to {path.readlink()}"
            raise UsageError(
                msg, hint="the bench writes below its own checkout only: put a folder in its place"
            )


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Tell what cannot be written as the host's trouble.

    Raises:
        DisturbedError: The file system refuses.
    """
    try:
        yield
    except OSError as error:
        msg = f"the results cannot be written to {folder}: {error.strerror}"
        raise DisturbedError(
            msg, hint="make room, or see to its permissions, and run it again"
        ) from error
