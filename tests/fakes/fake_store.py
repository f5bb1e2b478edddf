"""Results in memory."""

from dataclasses import dataclass, field

from harness.compare import Comparison
from harness.errors import UsageError
from harness.model import Cell, RunInfo
from harness.outcome import Observation
from harness.ports import RunWriter


@dataclass(slots=True)
class FakeRun:
    """One run's cells and its last comparison.

    Attributes:
        document: The table as last written; None before the first.
        completes: What each comparison that was written said of being complete.
    """

    folder: str
    cells: list[Cell] = field(default_factory=list)
    logs: dict[str, Observation] = field(default_factory=dict)
    comparison: Comparison | None = None
    document: str | None = None
    completes: list[bool] = field(default_factory=list)

    @property
    def holds_cells(self) -> bool:
        """Whether a cell has been put there."""
        return bool(self.cells)

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Keep a cell and its log."""
        self.cells.append(cell)
        self.logs[cell.log] = observation

    def write(self, comparison: Comparison, document: str) -> None:
        """Keep the comparison as it now stands."""
        self.comparison, self.document = comparison, document
        self.completes.append(comparison.complete)


class FakeStore:
    """The runs of one process, by folder."""

    def __init__(self) -> None:
        self.runs: dict[str, FakeRun] = {}

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Make ready for a run."""
        folder = f"results/{run.started_at}-{name}"
        while folder in self.runs:
            folder += "-again"
        self.runs[folder] = FakeRun(folder)
        return self.runs[folder]

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Give a run back."""
        kept = self.runs.get(folder)
        if kept is None or kept.comparison is None:
            msg = f"{folder} is not the folder of a run"
            raise UsageError(msg)
        return kept.comparison.run, list(kept.cells), kept.comparison.complete

    @property
    def only(self) -> FakeRun:
        """The one run that there is."""
        (run,) = self.runs.values()
        return run
