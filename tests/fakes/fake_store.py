"""Results in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.analysis.comparison import Comparison, compare
from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.gate import NoiseFloor
from harness.model.runs import RunInfo, RunReport
from harness.outcome.observation import Observation
from harness.verbs.ports import RunWriter


@dataclass(slots=True)
class FakeRun:
    """One run's cells and its last report.

    Attributes:
        run: Everything that was settled before the first cell.
        document: The last table; None before the first.
        summary: The last summary; None if there was none.
        completes: Whether each report was complete, in order.
    """

    folder: str
    run: RunInfo
    complete: bool = False
    cells: list[Cell] = field(default_factory=list)
    logs: dict[str, Observation] = field(default_factory=dict)
    document: str | None = None
    summary: str | None = None
    completes: list[bool] = field(default_factory=list)

    @property
    def holds_cells(self) -> bool:
        """True once a cell was added."""
        return bool(self.cells)

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Keep a cell and its log."""
        self.cells.append(cell)
        self.logs[cell.log] = observation

    @property
    def comparison(self) -> Comparison:
        """The comparison of the cells so far."""
        return compare(self.run, self.cells, complete=self.complete)

    def write(self, report: RunReport) -> None:
        """Keep a report in place of the last one."""
        self.summary = report.summary or self.summary
        self.document, self.complete = report.document, report.complete
        self.completes.append(report.complete)


class FakeStore:
    """The runs of one process, by folder.

    Attributes:
        halves: Half-written files of killed runs.
        torn: Unfinished lines of the next run that is reopened.
    """

    def __init__(self) -> None:
        self.runs: dict[str, FakeRun] = {}
        self.floors: dict[str, NoiseFloor] = {}
        self.halves: list[str] = []
        self.torn: list[str] = []

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Prepare a run."""
        folder = f"results/{run.started_at}-{name}"
        while folder in self.runs:
            folder += "-again"
        self.runs[folder] = FakeRun(folder, run)
        return self.runs[folder]

    def reopen_run(
        self, folder: str, run: RunInfo, cells: Sequence[Cell]
    ) -> tuple[RunWriter, list[str]]:
        """Continue a run."""
        kept = self._find(folder)
        assert kept.cells == list(cells)
        kept.run, kept.complete = run, False
        told, self.torn = self.torn, []
        return kept, told

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Return a run."""
        kept = self._find(folder)
        return kept.run, list(kept.cells), kept.complete

    def load_noise_floor(self, key: str) -> NoiseFloor | None:
        """Return a noise floor."""
        return self.floors.get(key)

    def keep_noise_floor(self, noise_floor: NoiseFloor) -> str:
        """Keep a noise floor."""
        self.floors[noise_floor.key] = noise_floor
        return f"results/floors/{noise_floor.key}.json"

    def prune(self) -> list[str]:
        """Forget the leftovers of killed runs; return them."""
        removed, self.halves = self.halves, []
        return removed

    def _find(self, folder: str) -> FakeRun:
        kept = self.runs.get(folder) or self.runs.get(f"results/{folder}")
        if kept is None or not kept.cells:
            msg = f"{folder} is not the folder of a run"
            raise UsageError(msg)
        return kept

    @property
    def only(self) -> FakeRun:
        """The only run."""
        (run,) = self.runs.values()
        return run
