"""Results as files: a folder a run, complete after every cell, and an index of them all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.adapters.cell_log import log_text
from harness.adapters.plain_file import read_plain
from harness.adapters.result_files import ResultFiles, refuse_links, writable
from harness.adapters.results_index import NAME as INDEX, ResultsIndex
from harness.compare import Comparison
from harness.errors import DisturbedError, UsageError
from harness.goals import GoalTable
from harness.model import Cell, Floor, RunInfo
from harness.outcome import Observation
from harness.ports import RunWriter
from harness.record import derive, read_cells, read_run, write_cell, write_run

_COMPARISON, _GOALS, _CELLS, _TABLE = "compare.json", "goals.json", "cells.jsonl", "table.md"
_SUMMARY, _LOGS = "summary.md", "logs"
_LARGEST = 256 << 20
_SHOWN = 300  # of a path that was typed


class FilesStore:
    """The folder ``results/``.

    Args:
        root: Made when the first run has its first cell.
        files: How files are written there.
    """

    def __init__(self, root: Path, files: ResultFiles | None = None) -> None:
        self._root = root
        self._files = files or ResultFiles(root)

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Make ready for a run; its folder appears with its first finished cell."""
        stamp = run.started_at.translate(str.maketrans("", "", "-:"))
        folder = self._root / f"{stamp}-{name}"
        number = 2
        while folder.exists():
            folder = self._root / f"{stamp}-{name}-{number}"
            number += 1
        self._see_to(folder)
        return FilesRun(self._files, folder, run)

    def reopen_run(
        self, folder: str, run: RunInfo, cells: Sequence[Cell]
    ) -> tuple[RunWriter, list[str]]:
        """Make ready to go on with a stored run: its record says so from now on; return what had to be taken out of it."""
        path = self._find(folder)
        if path.resolve().parent != self._root.resolve():
            msg = f"{folder} is not in {self._root}"
            raise UsageError(
                msg, hint="a run is resumed where it was measured: name its checkout with --repo"
            )
        self._see_to(path)
        with writable(path):
            torn = self._files.drop_torn_line(path / _CELLS)
            said = derive(run, cells, complete=False)
            self._files.replace(path / _name_of_record(said), write_run(said))
        told = f"an unfinished last line of {path / _CELLS}, {torn} bytes: its cell is run again"
        return FilesRun(self._files, path, run), [told] if torn else []

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Read a stored run: what was settled, its cells, and whether it is complete."""
        with _readable(Path(folder)):
            path = self._find(folder)
        with _readable(path):
            record = _record_of(path)
            text = read_plain(record, limit_bytes=_LARGEST).decode()
            run, is_complete = read_run(text, where=str(record))
            # a line that was torn may end in the middle of a character
            data = read_plain(path / _CELLS, limit_bytes=_LARGEST)
            whole, end, _ = data.rpartition(b"\n")
            cells = read_cells((whole + end).decode(), where=str(path / _CELLS))
        return run, cells, is_complete

    def load_floor(self, key: str) -> Floor | None:
        """Return the noise that was measured under a key; None where there is none that can be read."""
        try:
            text = read_plain(self._floor(key), limit_bytes=_LARGEST)
            return msgspec.json.decode(text, type=Floor)
        except (OSError, msgspec.DecodeError):
            return None  # it is measured again: nothing is lost

    def keep_floor(self, floor: Floor) -> str:
        """Keep a floor in place of the last one of its key; return where."""
        path = self._floor(floor.key)
        refuse_links(self._root, path.parent)
        with writable(path.parent):
            text = msgspec.json.format(msgspec.json.encode(floor)).decode()
            self._files.replace(path, text + "\n")
        return str(path)

    def prune(self) -> list[str]:
        """Remove files that a killed run left half written; return their paths."""
        return self._files.prune()

    def _floor(self, key: str) -> Path:
        return self._root / "floors" / f"{key}.json"

    def _find(self, folder: str) -> Path:
        """Return a folder by its path, or by its name alone."""
        path = Path(folder)
        return path if path.exists() or path.name != folder else self._root / folder

    def _see_to(self, folder: Path) -> None:
        """See that a run can be written, which is better found out now than after its first cell."""
        refuse_links(self._root, folder, folder / _LOGS, folder / _CELLS)
        if (self._root / INDEX).is_dir():
            msg = f"{self._root / INDEX} is a folder, and the index of all runs is to be written there"
            raise DisturbedError(msg, hint="move it away")
        with writable(self._root):
            self._files.try_out()


class FilesRun:
    """One run's folder.

    Args:
        files: How it is written.
        folder: Its path, whether or not it exists already.
        run: What was settled before its first cell.
    """

    def __init__(self, files: ResultFiles, folder: Path, run: RunInfo) -> None:
        self._files, self._folder, self._run = files, folder, run
        self._index = ResultsIndex(files, (_COMPARISON, _GOALS, _CELLS), _derive_stored)

    @property
    def folder(self) -> str:
        """The path, whether or not it exists already."""
        return str(self._folder)

    @property
    def holds_cells(self) -> bool:
        """Whether a cell has been put there, and with it the folder."""
        cells = self._folder / _CELLS
        return cells.exists() and cells.stat().st_size > 0

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Put a cell and its logs on disk before the next one starts; no cell is ever there without its run, or its log."""
        with writable(self._folder):
            if not self._folder.exists():
                said = derive(self._run, (), complete=False)
                self._files.make_whole(
                    self._folder, {_name_of_record(said): write_run(said), _CELLS: ""}
                )
            log = log_text(observation.stdout, observation.stderr)
            self._files.replace(self._folder / cell.log, log)
            self._files.append(self._folder / _CELLS, write_cell(cell))

    def write(self, said: Comparison | GoalTable, document: str, summary: str = "") -> None:
        """Put what the cells say as it now stands, its table, and a summary where there is one, in place of the last ones."""
        with writable(self._folder):
            self._files.replace(self._folder / _TABLE, document)
            if summary:
                self._files.replace(self._folder / _SUMMARY, summary)
            self._files.replace(self._folder / _name_of_record(said), write_run(said))
            self._index.write()


def _derive_stored(folder: Path) -> Comparison | GoalTable:
    run, cells, complete = FilesStore(folder.parent).load(str(folder))
    return derive(run, cells, complete=complete)


def _name_of_record(said: Comparison | GoalTable) -> str:
    return _COMPARISON if isinstance(said, Comparison) else _GOALS


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
        msg = f"{str(path)[:_SHOWN]} is not the folder of a run: {reason}"
        raise UsageError(
            msg, hint="name a folder of results/, as in `invoke report results/STAMP-…`"
        ) from error
