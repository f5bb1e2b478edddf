"""The index over all runs that are stored."""

from collections.abc import Callable
from pathlib import Path

from harness.adapters.result_files import ResultFiles, is_half
from harness.compare import Comparison
from harness.errors import UsageError
from harness.goals import GoalTable
from harness.report import index_text

NAME = "index.md"


class ResultsIndex:
    """``index.md``, the newest run first; one that cannot be read is named, not dropped.

    It is written after every cell: what a run says is derived once, until one of its files changes.

    Args:
        files: The folder of all runs.
        parts: The names of which a run has one at least.
        derive: Says what the cells of a run's folder say.
    """

    def __init__(
        self,
        files: ResultFiles,
        parts: tuple[str, ...],
        derive: Callable[[Path], Comparison | GoalTable],
    ) -> None:
        self._files, self._parts, self._derive = files, parts, derive
        self._known: dict[tuple[str, tuple[int, ...]], Comparison | GoalTable | None] = {}

    def write(self) -> None:
        """Write it as the folders now are."""
        found = {
            (folder.name, stamps): folder
            for folder in sorted(self._files.root.iterdir(), reverse=True)
            if (stamps := self._stamps(folder))
            and not is_half(folder.name)
            and not folder.is_symlink()
        }
        self._known = {
            key: self._known[key] if key in self._known else self._read(folder)
            for key, folder in found.items()
        }
        runs = [(name, said) for (name, _), said in self._known.items()]
        self._files.replace(self._files.root / NAME, index_text(runs))

    def _stamps(self, folder: Path) -> tuple[int, ...]:
        """Return when each part of a run was changed last, in ns; none where the folder is no run's, and 0 where it cannot be entered."""
        paths = [folder / name for name in self._parts]
        try:
            return tuple(path.lstat().st_mtime_ns for path in paths if path.exists())
        except OSError:  # it is told as one that cannot be read
            return (0,)

    def _read(self, folder: Path) -> Comparison | GoalTable | None:
        try:
            return self._derive(folder)
        except UsageError:
            return None
