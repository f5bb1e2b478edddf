"""The folder of builds and cells: all users can read it, only its owner can write."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.adapters.host.owner import is_alive
from harness.model.errors import NoBoxError

_PARENT = Path("/var/tmp")  # noqa: S108  # on a disk, unlike /tmp: a tmpfs would count as the cell's memory


class LocalStore:
    """A folder for each build, and one for each run.

    Args:
        root: By default a folder of this user below /var/tmp.

    Raises:
        NoBoxError: It cannot be made, or belongs to another user.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or _PARENT / f"esc-bench-{os.getuid()}"
        try:
            for folder in (self._root, self.builds, self.runs):
                _make_own(folder)
        except OSError as error:
            msg = f"builds and cells need a folder at {self._root}: {error.strerror}"
            raise NoBoxError(msg, hint="free disk space, or fix its permissions") from error

    @property
    def builds(self) -> Path:
        """The folder of the builds."""
        return self._root / "builds"

    @property
    def runs(self) -> Path:
        """The folder of the runs, by run id."""
        return self._root / "runs"

    def make_cell(self, run_id: str, uid: int | None) -> Path:
        """Make the folder of a run's next cell, with a writable `scratch`.

        Args:
            uid: The user of the cell's processes; None for this user.
        """
        run = self.runs / run_id
        _make_own(run)
        made = [int(folder.name) for folder in run.iterdir() if folder.name.isdigit()]
        cell = run / f"{max(made, default=0) + 1:04}"
        scratch = cell / "scratch"
        _make_own(cell)
        _make_own(scratch)
        if uid is not None:
            os.chown(scratch, uid, uid)
        return cell

    def runs_of(self, run_id: str | None) -> list[str]:
        """Return the id of a run, or of all dead runs, that have a folder here."""
        names = sorted(
            folder.name
            for folder in self.runs.glob("esc-*")
            if folder.is_dir() and not folder.is_symlink()
        )
        if run_id is not None:
            return [name for name in names if name == run_id]
        return [name for name in names if not is_alive(name)]

    def cells_of(self, run_id: str) -> list[Path]:
        """Return the folders of a run's cells."""
        return sorted(path for path in (self.runs / run_id).iterdir() if path.name.isdigit())

    def remove_run(self, run_id: str) -> str:
        """Remove the folder of a run; return its path."""
        folder = self.runs / run_id
        shutil.rmtree(folder, ignore_errors=True)
        return str(folder)

    @contextmanager
    def making(self, name: str, run_id: str) -> Iterator[Path]:
        """Yield a folder that becomes the named build; remove it if the block fails."""
        half = self.runs / run_id / f"making-{name}"
        _make_own(half.parent)
        _make_own(half)
        try:
            yield half
            try:
                half.rename(self.builds / name)
            except OSError:  # another run made the same build first
                if not (self.builds / name).is_dir():
                    raise
        finally:
            shutil.rmtree(half, ignore_errors=True)


def _make_own(folder: Path) -> None:
    """Make a folder that all users can read, and only this user can write.

    Raises:
        NoBoxError: It is no folder of this user.
    """
    if not folder.is_symlink():
        folder.mkdir(exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        msg = f"{folder} is not a folder of this user"
        raise NoBoxError(msg, hint="move it away")
    folder.chmod(0o755)
