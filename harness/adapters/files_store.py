"""Results as files: a folder a run, complete after every cell, and an index of them all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.compare import Comparison, compare
from harness.errors import DisturbedError, UsageError
from harness.goals import GoalTable, find_goals
from harness.model import Cell, Floor, RunInfo
from harness.outcome import Observation
from harness.ports import RunWriter
from harness.record import read_cells, read_run, write_cell, write_run
from harness.report import index_text

_COMPARISON, _GOALS, _CELLS, _TABLE = "compare.json", "goals.json", "cells.jsonl", "table.md"
_SUMMARY = "summary.md"


class FilesStore:
    """The folder ``results/``.

    Args:
        root: Made when the first run has its first cell.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Make ready for a run; its folder appears with its first finished cell."""
        stamp = run.started_at.translate(str.maketrans("", "", "-:"))
        folder = self._root / f"{stamp}-{name}"
        number = 2
        while folder.exists():
            folder = self._root / f"{stamp}-{name}-{number}"
            number += 1
        with _writable(self._root):  # better found out now than after the first cell
            place = self._root if self._root.exists() else self._root.parent
            tempfile.TemporaryFile(dir=place).close()
        return FilesRun(self._root, folder)

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Read a stored run: what was settled, its cells, and whether it is complete."""
        path = Path(folder)
        record = _record_of(path)
        with _readable(path):
            run, is_complete = read_run(record.read_text(encoding="utf-8"), where=str(record))
            cells = read_cells(
                (path / _CELLS).read_text(encoding="utf-8"), where=str(path / _CELLS)
            )
        return run, cells, is_complete

    def load_floor(self, key: str) -> Floor | None:
        """Return the noise that was measured under a key; None where there is none that can be read."""
        try:
            return msgspec.json.decode(self._floor(key).read_bytes(), type=Floor)
        except (OSError, msgspec.DecodeError):
            return None  # it is measured again: nothing is lost

    def keep_floor(self, floor: Floor) -> str:
        """Keep a floor in place of the last one of its key; return where."""
        path = self._floor(floor.key)
        with _writable(path.parent):
            _replace(path, msgspec.json.format(msgspec.json.encode(floor)).decode() + "\n")
        return str(path)

    def _floor(self, key: str) -> Path:
        return self._root / "floors" / f"{key}.json"


class FilesRun:
    """One run's folder."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._folder = folder
        self._index = _Index(root)

    @property
    def folder(self) -> str:
        """The path, whether or not it exists already."""
        return str(self._folder)

    @property
    def holds_cells(self) -> bool:
        """Whether a cell has been put there, and with it the folder."""
        return (self._folder / _CELLS).exists()

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Put a cell and its logs on disk before the next one starts."""
        log = self._folder / cell.log
        stderr = "\n".join(observation.stderr)
        text = f"# standard output\n{observation.stdout}\n# end of standard error\n{stderr}\n"
        with _writable(self._folder):
            _replace(log, text)
            with (self._folder / _CELLS).open("a", encoding="utf-8") as lines:
                lines.write(write_cell(cell))
                lines.flush()
                os.fsync(lines.fileno())

    def write(self, said: Comparison | GoalTable, document: str, summary: str = "") -> None:
        """Put what the cells say as it now stands, its table, and a summary where there is one, in place of the last ones."""
        name = _COMPARISON if isinstance(said, Comparison) else _GOALS
        with _writable(self._folder):
            _replace(self._folder / name, write_run(said))
            _replace(self._folder / _TABLE, document)
            if summary:
                _replace(self._folder / _SUMMARY, summary)
            self._index.write()


class _Index:
    """``index.md`` over all runs that can be read, the newest first; one that cannot is named, not dropped.

    It is written after every cell: what a run says is derived once, until its record changes.

    Args:
        root: The folder of all runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[str, int], Comparison | GoalTable | None] = {}

    def write(self) -> None:
        """Write it as the folders now are."""
        found = {
            (folder.name, record.stat().st_mtime_ns): folder
            for folder in sorted(self._root.iterdir(), reverse=True)
            if (record := _record_of(folder)).is_file()
        }
        self._known = {
            key: self._known[key] if key in self._known else self._derive(folder)
            for key, folder in found.items()
        }
        runs = [(name, said) for (name, _), said in self._known.items()]
        _replace(self._root / "index.md", index_text(runs))

    def _derive(self, folder: Path) -> Comparison | GoalTable | None:
        try:
            run, cells, complete = FilesStore(self._root).load(str(folder))
            derive = find_goals if run.kind == "goals" else compare
            return derive(run, cells, complete=complete)
        except UsageError:
            return None


def _record_of(folder: Path) -> Path:
    """Return what holds a run: that of a goal run where there is one."""
    goals = folder / _GOALS
    return goals if goals.is_file() else folder / _COMPARISON


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        msg = f"{path} is not the folder of a run: {reason}"
        raise UsageError(
            msg, hint="name a folder of results/, as in `invoke report results/STAMP-…`"
        ) from error


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"the results cannot be written to {folder}: {error.strerror}"
        raise DisturbedError(
            msg, hint="make room, or see to its permissions, and run it again"
        ) from error


def _replace(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
