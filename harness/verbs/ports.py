"""What the use cases need of the world: a box, a repository, a store, a clock, somebody to tell."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.model.cells import Cell, Knee, Slot
from harness.model.gate import NoiseFloor
from harness.model.nouns import Caps, Drive, Load, Side
from harness.model.runs import BoxInfo, RunInfo, RunReport
from harness.model.tree import Tree
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine
from harness.plan.outlook import Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """The two commits of a comparison.

    Args:
        base, branch: Full commit hashes.
        base_title, branch_title: The first line of each commit's message.
        dirty: Hash of what the working tree adds to the branch's commit; None when it is clean.
        how: How the base was chosen, for people.
    """

    base: str
    branch: str
    base_title: str
    branch_title: str
    dirty: str | None
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImage:
    """What both sides are built on: its id, and the name it goes by."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a box can run for one side.

    Args:
        image: The id that cells are started by.
        how: Whether it was built, or found, and under which name; for people.
    """

    image: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpec:
    """One cell to be run."""

    run_id: str
    arm: str
    level: int
    load: Load
    caps: Caps
    environment: Mapping[str, str]


class Box(Protocol):
    """The capped place that builds run in."""

    @property
    def lock_name(self) -> str:
        """The name of the lock that two runs would share: this machine, or an engine elsewhere."""

    def close(self) -> None:
        """Release what the box holds open."""

    def describe(self, base_image: str) -> BoxInfo:
        """Say what it is and what of its host bears on the numbers."""

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find, or fetch, what both sides are built on.

        Args:
            wanted: A name to be taken at its word; empty for the one that is found.

        Raises:
            BuildError: It is not there and cannot be fetched.
        """

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find it already built, and give it the side's moving tag.

        Raises:
            BuildError: It does not build; the error ends with the last lines of the log.
        """

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag that a tree's image has or would have, and whether it is there."""

    def find_build(self, image: str) -> Build:
        """Find a build that is there already.

        Raises:
            UsageError: There is none of that name.
        """

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; what it wrote may stay until `reap`.

        Raises:
            NoBoxError: The engine is gone.
        """

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the containers of a run, or those of runs that are no longer alive; return what was removed."""

    def trim(self) -> list[str]:
        """Remove all but the newest four tree images; return what was removed."""


class Repo(Protocol):
    """The repository that is compared with its past."""

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits to compare.

        Raises:
            RepoError: A ref is unknown, or there is not exactly one merge-base.
        """

    def base_tree(self, refs: Refs, run_id: str) -> AbstractContextManager[Tree]:
        """Check the base out in a worktree, copy the branch's bench in, and give its context; remove it afterwards."""

    def branch_tree(self) -> Tree:
        """Give the context of the working tree as it is."""

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or those of runs that are no longer alive; return their paths."""


class RunWriter(Protocol):
    """Where one run's cells go as they end."""

    @property
    def folder(self) -> str:
        """The path, whether or not it exists already."""

    @property
    def holds_cells(self) -> bool:
        """Whether a cell has been put there, and with it the folder."""

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Put a cell and its logs on disk before the next one starts."""

    def write(self, report: RunReport) -> None:
        """Replace the stored report; a summary stays where the new report has none."""


class Store(Protocol):
    """Where results are kept."""

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Make ready for a run; its folder appears with its first finished cell.

        Raises:
            UsageError: It would be written through a symbolic link.
            DisturbedError: It cannot be written.
        """

    def reopen_run(
        self, folder: str, run: RunInfo, cells: Sequence[Cell]
    ) -> tuple[RunWriter, list[str]]:
        """Make ready to go on with a stored run: its record says so from now on.

        Args:
            folder: As for `load`.
            run: What was settled, as it is to be stored now.
            cells: What is stored of it.

        Returns:
            Where the next cells go, and what had to be taken out of what is stored, a line each.

        Raises:
            UsageError: It is not one of this store's, or would be written through a symbolic link.
            DisturbedError: It cannot be written.
        """

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Read a stored run: what was settled, its cells, and whether it is complete.

        Args:
            folder: Its path, or its name alone.

        Raises:
            UsageError: It is not the folder of a run.
        """

    def load_noise_floor(self, key: str) -> NoiseFloor | None:
        """Return the noise that was measured under a key; None where there is none that can be read."""

    def keep_noise_floor(self, noise_floor: NoiseFloor) -> str:
        """Keep a floor in place of the last one of its key; return where."""

    def prune(self) -> list[str]:
        """Remove what killed runs left half written; return the paths."""


class Progress(Protocol):
    """Somebody who follows the run."""

    def say(self, text: str) -> None:
        """Tell one thing."""

    def cell_started(self, slot: Slot, number: int) -> None:
        """A cell begins."""

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """A cell was heard of."""

    def cell_ended(self, cell: Cell) -> None:
        """A cell has ended."""

    def stands(self, table: str, outlook: Outlook) -> None:
        """Called with the table of the levels so far, in markdown, and with what is to come."""

    def knee(self, name: str, knee: Knee) -> None:
        """A build's bracket is known; its name is its side, where there are two."""

    def rest(self) -> None:
        """No cell is going to start for now: what was drawn over and over is to be taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSpec:
    """One process to be counted.

    Args:
        place: The folder that the side's tree is in.
        level: How many sessions it drives.
    """

    side: Side
    place: str
    drive: Drive
    load: Load
    level: int


class Counter(Protocol):
    """Counts one kind of thing in processes that drive sessions under the virtual clock."""

    @property
    def name(self) -> CounterName:
        """What it is called."""

    @property
    def levels(self) -> tuple[int, int]:
        """The two levels that its slopes lie between, the smaller first."""

    def find_missing(self) -> str:
        """Say in one sentence what is not installed and how to get it; empty when it can count."""

    def count(self, specs: Sequence[CountSpec]) -> Sequence[CountedRun | Uncounted]:
        """Run the processes, some at once, and return what was counted of each, in the same order.

        None of them, and nothing that they wrote, is left when this returns or raises.
        """


class LocalSides(Protocol):
    """Local environments: a side's tree in a folder, this interpreter, and no box."""

    @property
    def confinement(self) -> str:
        """How the processes are held that run there; it begins with ``unconfined`` where they are not."""

    @property
    def python(self) -> str:
        """The interpreter that they run in."""

    def open(self, trees: Mapping[Side, Tree]) -> AbstractContextManager[Mapping[Side, str]]:
        """Put each tree into a folder of its own for as long as the block runs, and give the folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSet:
    """The adapters that exact costs need, none of which is a box.

    Args:
        now_s: A monotonic clock, in seconds.
    """

    counters: Sequence[Counter]
    sides: LocalSides
    progress: Progress
    now_s: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The adapters of one call.

    Args:
        run_id: Marks everything that the call makes.
        utc_stamp: Returns the time of day as ``2026-11-30T12:34:56Z``.
    """

    run_id: str
    box: Box
    repo: Repo
    store: Store
    utc_stamp: Callable[[], str]
    progress: Progress
