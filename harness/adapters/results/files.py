"""Files of results: whole or absent; a half-written one names its owner."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.adapters.host.owner import is_alive, own_run_id
from harness.model.errors import DisturbedError, UsageError

_HALF = "~"  # a half-written file is named .NAME~OWNER


class Disk:
    """The operations on files; a test lets one of them fail."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, if missing."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path, data: bytes) -> None:
        """Write a new file; never through a link."""
        with path.open("xb") as file:
            file.write(data)
        path.chmod(0o644)

    def append(self, path: Path, data: bytes) -> None:
        """Append to a file and sync it; never through a link."""
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(opened, "ab", buffering=0) as file:
            if file.write(data) != len(data):  # a nearly full disk
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file to a size in bytes."""
        os.truncate(path, size)

    def rename(self, source: Path, target: Path) -> None:
        """Rename a file or a folder; replace the file of that name."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file or a folder."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class ResultFiles:
    """The files below one folder.

    Args:
        root: The folder; made with the first file.
        disk: The operations on files.
        name_owner: Returns the run id in the name of a half-written file.
    """

    def __init__(
        self, root: Path, disk: Disk | None = None, name_owner: Callable[[], str] = own_run_id
    ) -> None:
        self.root = root
        self._disk = disk or Disk()
        self._name_owner = name_owner

    def replace(self, path: Path, text: str) -> None:
        """Write a file; a crash leaves the old one or the new one."""
        self._disk.make_folder(path.parent)
        with self._half(path) as half:
            self._disk.create(half, text.encode(errors="replace"))

    def make_whole(self, folder: Path, texts: dict[str, str]) -> None:
        """Make a folder with files; a crash leaves all of it or nothing."""
        with self._half(folder) as half:
            self._disk.make_folder(half)
            for name, text in texts.items():
                self._disk.create(half / name, text.encode(errors="replace"))

    def append(self, path: Path, line: str) -> None:
        """Append a line to a file; a full disk leaves no part of it."""
        size = path.stat().st_size
        try:
            self._disk.append(path, line.encode())
        except OSError:
            with suppress(OSError):  # readers drop a torn line
                self._disk.cut(path, size)
            raise

    def drop_torn_line(self, path: Path) -> int:
        """Cut a file after its last whole line; return the number of bytes cut."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self._disk.cut(path, whole)
        return len(data) - whole

    def try_out(self) -> None:
        """Create and drop a nameless file, below the root or its parent."""
        place = self.root if self.root.exists() else self.root.parent
        tempfile.TemporaryFile(dir=place).close()

    def prune(self) -> list[str]:
        """Remove half-written files of dead processes; return their paths."""
        removed = []
        for half in self._find_halves():
            if not is_alive(half.name.rpartition(_HALF)[2]):
                with suppress(OSError):  # another user's
                    self._disk.remove(half)
                    removed.append(str(half))
        return removed

    def _find_halves(self) -> Iterator[Path]:
        if self.root.is_symlink():
            return
        for place, folders, files in os.walk(self.root):  # follows no links
            yield from (Path(place, name) for name in sorted([*folders, *files]) if is_half(name))
            folders[:] = [name for name in folders if not is_half(name)]

    @contextmanager
    def _half(self, path: Path) -> Iterator[Path]:
        """Yield a path to write to; then rename it, or on failure remove it."""
        half = path.with_name(f".{path.name}{_HALF}{self._name_owner()}")
        try:
            yield half
            self._disk.rename(half, path)
        except BaseException:
            with suppress(OSError):  # the first error counts; `prune` finds the rest
                self._disk.remove(half)
            raise


def is_half(name: str) -> bool:
    """Return whether a file or a folder of that name is half written."""
    return name.startswith(".") and f"{_HALF}esc-" in name


def refuse_links(*paths: Path) -> None:
    """Refuse to write through a link, which could lead anywhere.

    Raises:
        UsageError: A path is a link.
    """
    for path in paths:
        if path.is_symlink():
            msg = f"{path} is a symbolic link to {path.readlink()}"
            hint = "replace it with a folder: results are written inside the checkout only"
            raise UsageError(msg, hint=hint)


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn an error of the file system into one of the host.

    Raises:
        DisturbedError: Something cannot be written.
    """
    try:
        yield
    except OSError as error:
        msg = f"the results cannot be written to {folder}: {error.strerror}"
        hint = f"free disk space, or fix the permissions of {folder}, and run it again"
        raise DisturbedError(msg, hint=hint) from error
