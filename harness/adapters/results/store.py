"""Results as files: a folder a run, complete after each cell, and an index."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.adapters.host.files import read_plain
from harness.adapters.results.files import ResultFiles, is_half, refuse_links, writable
from harness.adapters.results.record import read_cells, read_run, write_cell, write_run
from harness.model.cells import Cell
from harness.model.errors import DisturbedError, UsageError
from harness.model.gate import NoiseFloor
from harness.model.runs import RunInfo, RunReport
from harness.outcome.observation import Observation
from harness.report.derived import index_text
from harness.verbs.ports import RunWriter

_COMPARISON, _GOALS, _CELLS, _TABLE = "compare.json", "goals.json", "cells.jsonl", "table.md"
_SUMMARY, _LOGS, _INDEX = "summary.md", "logs", "index.md"
_LARGEST = 256 << 20
_LONGEST_PATH = 300
_FIRST, _LAST = 64 << 10, 1 << 20  # characters of a stream in a log
_SUSPECT = re.compile(r"[^\n\t -~]")


class FilesStore:
    """The folder ``results/``.

    Args:
        root: The folder; made with the first cell of the first run.
        files: The files below it.
    """

    def __init__(self, root: Path, files: ResultFiles | None = None) -> None:
        self._root = root
        self._files = files or ResultFiles(root)

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Prepare a new run; its folder appears with its first finished cell."""
        stamp = run.started_at.translate(str.maketrans("", "", "-:"))
        folder = self._root / f"{stamp}-{name}"
        number = 2
        while folder.exists():
            folder = self._root / f"{stamp}-{name}-{number}"
            number += 1
        self._refuse_unwritable(folder)
        return FilesRun(self._files, folder, run)

    def reopen_run(
        self, folder: str, run: RunInfo, cells: Sequence[Cell]
    ) -> tuple[RunWriter, list[str]]:
        """Replace the record of a stored run, and cut a torn line off its cells.

        Returns:
            The writer of the next cells, and a line for everything that was removed.
        """
        del cells  # the next report holds them
        path = self._find(folder)
        if path.resolve().parent != self._root.resolve():
            msg = f"{folder} is not in {self._root}"
            hint = "a run is resumed in its own checkout: name that one with --repo"
            raise UsageError(msg, hint=hint)
        self._refuse_unwritable(path)
        with writable(path):
            torn = self._files.drop_torn_line(path / _CELLS)
            self._files.replace(path / _record_name(run), write_run(_unfinished(run)))
        line = f"an unfinished last line of {path / _CELLS}, {torn} bytes: its cell is run again"
        return FilesRun(self._files, path, run), [line] if torn else []

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Return a stored run, its cells, and whether it is complete."""
        with _readable(Path(folder)):
            path = self._find(folder)
        report, cells = _load(path)
        return report.run, cells, report.complete

    def load_noise_floor(self, key: str) -> NoiseFloor | None:
        """Return the noise floor of a key; None if there is none that can be read."""
        try:
            text = read_plain(self._noise_path(key), limit_bytes=_LARGEST)
            return msgspec.json.decode(text, type=NoiseFloor)
        except (OSError, msgspec.DecodeError):
            return None  # it is measured again

    def keep_noise_floor(self, noise_floor: NoiseFloor) -> str:
        """Store a noise floor in place of the last one of its key; return its path."""
        path = self._noise_path(noise_floor.key)
        refuse_links(self._root, path.parent)
        with writable(path.parent):
            text = msgspec.json.format(msgspec.json.encode(noise_floor)).decode()
            self._files.replace(path, text + "\n")
        return str(path)

    def prune(self) -> list[str]:
        """Remove half-written files of killed runs; return their paths."""
        return self._files.prune()

    def _noise_path(self, key: str) -> Path:
        return self._root / "floors" / f"{key}.json"

    def _find(self, folder: str) -> Path:
        """Return a folder by its path, or by its name alone."""
        path = Path(folder)
        return path if path.exists() or path.name != folder else self._root / folder

    def _refuse_unwritable(self, folder: Path) -> None:
        """Find out before the first cell whether a run can be written."""
        refuse_links(self._root, folder, folder / _LOGS, folder / _CELLS)
        if (self._root / _INDEX).is_dir():
            msg = f"{self._root / _INDEX} is a folder, but must be the index of all runs"
            raise DisturbedError(msg, hint="move it away")
        with writable(self._root):
            self._files.try_out()


class FilesRun:
    """One run's folder.

    Args:
        files: The files below results/.
        folder: The path of the folder, which the first cell makes.
        run: Everything that was settled before the first cell.
    """

    def __init__(self, files: ResultFiles, folder: Path, run: RunInfo) -> None:
        self._files, self._folder, self._run = files, folder, run
        self._is_listed = False

    @property
    def folder(self) -> str:
        """The path of the folder, which the first cell makes."""
        return str(self._folder)

    @property
    def holds_cells(self) -> bool:
        """True once a cell was written."""
        cells = self._folder / _CELLS
        return cells.exists() and cells.stat().st_size > 0

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Write a cell, after its run's record and its log."""
        with writable(self._folder):
            if not self._folder.exists():
                record = write_run(_unfinished(self._run))
                self._files.make_whole(self._folder, {_record_name(self._run): record, _CELLS: ""})
            log = log_text(observation.stdout, observation.stderr)
            self._files.replace(self._folder / cell.log, log)
            self._files.append(self._folder / _CELLS, write_cell(cell))

    def write(self, report: RunReport) -> None:
        """Replace the report; list the run in the index at its start and its end."""
        with writable(self._folder):
            self._files.replace(self._folder / _TABLE, report.document)
            if report.summary:
                self._files.replace(self._folder / _SUMMARY, report.summary)
            self._files.replace(self._folder / _record_name(report.run), write_run(report))
            if report.complete or not self._is_listed:
                root = self._files.root
                self._files.replace(root / _INDEX, index_text(_find_runs(root)))
                self._is_listed = True


def _unfinished(run: RunInfo) -> RunReport:
    """Return the report of a run whose next cell has not ended."""
    return RunReport(run=run, complete=False, derived={}, document="")


def _load(folder: Path) -> tuple[RunReport, list[Cell]]:
    """Read the record and the cells of a run.

    Raises:
        UsageError: One of them cannot be read.
    """
    with _readable(folder):
        record = folder / (_GOALS if (folder / _GOALS).is_file() else _COMPARISON)
        text = read_plain(record, limit_bytes=_LARGEST).decode()
        report = read_run(text, where=str(record))
        # a torn line may end within a character
        data = read_plain(folder / _CELLS, limit_bytes=_LARGEST)
        whole, end, _ = data.rpartition(b"\n")
        return report, read_cells((whole + end).decode(), where=str(folder / _CELLS))


def _find_runs(root: Path) -> Iterator[tuple[str, RunReport | None]]:
    """Yield name and report of each run, newest first; None for a damaged one."""
    for folder in sorted(root.iterdir(), reverse=True):
        if is_half(folder.name) or folder.is_symlink() or not _is_run(folder):
            continue
        try:
            yield folder.name, _load(folder)[0]
        except UsageError:
            yield folder.name, None


def _is_run(folder: Path) -> bool:
    """Return whether a folder holds a part of a run, or cannot be entered."""
    try:
        return any((folder / name).exists() for name in (_COMPARISON, _GOALS, _CELLS))
    except OSError:
        return True


def _record_name(run: RunInfo) -> str:
    return _GOALS if run.kind == "goals" else _COMPARISON


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn an error of reading into one that names the folder.

    Raises:
        UsageError: The folder holds no run.
    """
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        msg = f"{str(path)[:_LONGEST_PATH]} is not the folder of a run: {reason}"
        hint = "name a folder of results/, as in `invoke report results/STAMP-…`"
        raise UsageError(msg, hint=hint) from error


def log_text(stdout: str, stderr: Sequence[str]) -> str:
    r"""Return the log of a cell.

    Args:
        stdout: The known part of the standard output.
        stderr: The known lines of the standard error.

    Returns:
        The first 64 Ki and the last 1 Mi characters of each stream; a line in between counts the characters left out. Control
        characters except newline and tab are escaped as in ``\x1b``.
    """
    out, err = _shorten(stdout), _shorten("\n".join(stderr))
    return f"# standard output\n{out}\n# end of standard error\n{err}\n"


def _shorten(text: str) -> str:
    if len(text) <= _FIRST + _LAST:
        return _escape(text)
    left_out = len(text) - _FIRST - _LAST
    first, last = _escape(text[:_FIRST]), _escape(text[-_LAST:])
    return f"{first}\n# {left_out:,} characters are left out here\n{last}"


def _escape(text: str) -> str:
    """Escape control characters; any script stays readable."""
    return _SUSPECT.sub(
        lambda found: found[0] if found[0].isprintable() else ascii(found[0])[1:-1], text
    )
