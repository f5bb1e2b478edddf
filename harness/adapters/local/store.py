"""The folder of this machine in which builds are kept and cells write: readable by everybody, ours to write."""

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
    """Builds by their tree, and a folder for each run.

    Args:
        root: Where it is; by default a folder of this user below /var/tmp.

    Raises:
        NoBoxError: It cannot be made, or is somebody else's.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or _PARENT / f"esc-bench-{os.getuid()}"
        try:
            for folder in (self._root, self.builds, self.runs):
                _make_own(folder)
        except OSError as error:
            msg = f"builds and cells need a folder at {self._root}: {error.strerror}"
            raise NoBoxError(msg, hint="make room, or let this user write there") from error

    @property
    def builds(self) -> Path:
        """Where the builds are, one folder each."""
        return self._root / "builds"

    @property
    def runs(self) -> Path:
        """Where the runs are, one folder each, by run id."""
        return self._root / "runs"

    def make_cell(self, run_id: str, uid: int | None) -> Path:
        """Make the folder of a run's next cell, with a `scratch` in it that its processes may write to.

        Args:
            run_id: Of the run.
            uid: Whom the processes run as, where that is somebody else.
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
        """Return the ids of a run, or of all whose owner is no longer alive, of which there is something here."""
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
        """Remove what the cells of a run wrote; return its path."""
        folder = self.runs / run_id
        shutil.rmtree(folder, ignore_errors=True)
        return str(folder)

    @contextmanager
    def making(self, name: str, run_id: str) -> Iterator[Path]:
        """Give a folder that becomes the build of that name when the block ends well, and is gone otherwise."""
        half = self.runs / run_id / f"making-{name}"
        _make_own(half.parent)
        _make_own(half)
        try:
            yield half
            try:
                half.rename(self.builds / name)
            except OSError:  # another run was quicker; its build is the same
                if not (self.builds / name).is_dir():
                    raise
        finally:
            shutil.rmtree(half, ignore_errors=True)


def _make_own(folder: Path) -> None:
    """Make a folder that everybody can read and this user alone can write, whatever the umask.

    Raises:
        NoBoxError: There is something else of that name.
    """
    if not folder.is_symlink():
        folder.mkdir(exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        msg = f"{folder} is not a folder of this user"
        raise NoBoxError(msg, hint="move it out of the way")
    folder.chmod(0o755)
