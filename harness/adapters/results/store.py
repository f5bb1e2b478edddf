"""Results as files: a folder a run, complete after every cell, and an index of them all."""

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
_SHOWN = 300  # of a path that was typed
_FIRST, _LAST = 64 << 10, 1 << 20  # characters of each stream
_SUSPECT = re.compile(r"[^\n\t -~]")  # all else is looked at one by one


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
        del cells  # the next report derives from them
        with writable(path):
            torn = self._files.drop_torn_line(path / _CELLS)
            self._files.replace(path / _name_of_record(run), write_run(_unfinished(run)))
        told = f"an unfinished last line of {path / _CELLS}, {torn} bytes: its cell is run again"
        return FilesRun(self._files, path, run), [told] if torn else []

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Read a stored run: what was settled, its cells, and whether it is complete."""
        with _readable(Path(folder)):
            path = self._find(folder)
        report, cells = _load(path)
        return report.run, cells, report.complete

    def load_noise_floor(self, key: str) -> NoiseFloor | None:
        """Return the noise that was measured under a key; None where there is none that can be read."""
        try:
            text = read_plain(self._noise_floor(key), limit_bytes=_LARGEST)
            return msgspec.json.decode(text, type=NoiseFloor)
        except (OSError, msgspec.DecodeError):
            return None  # it is measured again: nothing is lost

    def keep_noise_floor(self, noise_floor: NoiseFloor) -> str:
        """Keep a floor in place of the last one of its key; return where."""
        path = self._noise_floor(noise_floor.key)
        refuse_links(self._root, path.parent)
        with writable(path.parent):
            text = msgspec.json.format(msgspec.json.encode(noise_floor)).decode()
            self._files.replace(path, text + "\n")
        return str(path)

    def prune(self) -> list[str]:
        """Remove files that a killed run left half written; return their paths."""
        return self._files.prune()

    def _noise_floor(self, key: str) -> Path:
        return self._root / "floors" / f"{key}.json"

    def _find(self, folder: str) -> Path:
        """Return a folder by its path, or by its name alone."""
        path = Path(folder)
        return path if path.exists() or path.name != folder else self._root / folder

    def _see_to(self, folder: Path) -> None:
        """See that a run can be written, which is better found out now than after its first cell."""
        refuse_links(self._root, folder, folder / _LOGS, folder / _CELLS)
        if (self._root / _INDEX).is_dir():
            msg = f"{self._root / _INDEX} is a folder, and the index of all runs is to be written there"
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
        self._is_listed = False

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
                record = write_run(_unfinished(self._run))
                self._files.make_whole(
                    self._folder, {_name_of_record(self._run): record, _CELLS: ""}
                )
            log = log_text(observation.stdout, observation.stderr)
            self._files.replace(self._folder / cell.log, log)
            self._files.append(self._folder / _CELLS, write_cell(cell))

    def write(self, report: RunReport) -> None:
        """Replace the stored report; list the run in the index when it begins and when it completes."""
        with writable(self._folder):
            self._files.replace(self._folder / _TABLE, report.document)
            if report.summary:
                self._files.replace(self._folder / _SUMMARY, report.summary)
            self._files.replace(self._folder / _name_of_record(report.run), write_run(report))
            if report.complete or not self._is_listed:
                self._files.replace(
                    self._files.root / _INDEX, index_text(_runs_of(self._files.root))
                )
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


def _runs_of(root: Path) -> Iterator[tuple[str, RunReport | None]]:
    """Yield the name and the report of each run, the newest first; None for a run that cannot be read."""
    for folder in sorted(root.iterdir(), reverse=True):
        if is_half(folder.name) or folder.is_symlink() or not _is_run(folder):
            continue
        try:
            yield folder.name, _load(folder)[0]
        except UsageError:
            yield folder.name, None


def _is_run(folder: Path) -> bool:
    """Whether a folder holds a part of a run; one that cannot be entered may."""
    try:
        return any((folder / name).exists() for name in (_COMPARISON, _GOALS, _CELLS))
    except OSError:
        return True


def _name_of_record(run: RunInfo) -> str:
    return _GOALS if run.kind == "goals" else _COMPARISON


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


def log_text(stdout: str, stderr: Sequence[str]) -> str:
    r"""Return the log.

    Args:
        stdout: All of the standard output that is known.
        stderr: The lines of the standard error that are known.

    Returns:
        Of each stream the first 64 Ki and the last 1 Mi characters, with a line in between that says how many were left out. Control
        characters but newline and tab are written as in ``\x1b``.
    """
    out, err = _shown(stdout), _shown("\n".join(stderr))
    return f"# standard output\n{out}\n# end of standard error\n{err}\n"


def _shown(text: str) -> str:
    if len(text) <= _FIRST + _LAST:
        return _escaped(text)
    left_out = len(text) - _FIRST - _LAST
    first, last = _escaped(text[:_FIRST]), _escaped(text[-_LAST:])
    return f"{first}\n# {left_out:,} characters are left out here\n{last}"


def _escaped(text: str) -> str:
    return _SUSPECT.sub(_visible, text)


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    return char if char.isprintable() else ascii(char)[1:-1]
