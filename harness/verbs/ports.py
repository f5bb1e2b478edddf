"""The ports of the verbs: box, repository, store, progress, counters."""

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
    """The image that both sides are built on: its id and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build that a box can run for one side.

    Args:
        image: The id that cells are started by.
        how: For people: built or found, and its name.
    """

    image: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpec:
    """A cell to run."""

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
        """The lock that two runs share: this machine, or an engine elsewhere."""

    def close(self) -> None:
        """Release what the box holds open."""

    def describe(self, base_image: str) -> BoxInfo:
        """Return the box, and the facts of its host that affect the numbers."""

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find or pull the base image of both sides.

        Args:
            wanted: Its name; empty for the default.

        Raises:
            BuildError: It is missing and cannot be pulled.
        """

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find its build, and move the side's tag to it.

        Raises:
            BuildError: It does not build; the error holds the last lines of the log.
        """

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's image, and whether the image exists."""

    def find_build(self, image: str) -> Build:
        """Find an existing build.

        Raises:
            UsageError: There is no build of that name.
        """

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; its files may stay until `reap`.

        Raises:
            NoBoxError: The engine does not answer.
        """

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the cells of a run, or of all dead runs; return a line for each."""

    def trim(self) -> list[str]:
        """Remove all but the newest four tree images; return a line for each."""


class Repo(Protocol):
    """The repository that is compared with its past."""

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits to compare.

        Raises:
            RepoError: A ref is unknown, or there is not exactly one merge-base.
        """

    def base_tree(self, refs: Refs, run_id: str) -> AbstractContextManager[Tree]:
        """Yield the base's build context, with the branch's bench in it."""

    def branch_tree(self) -> Tree:
        """Return the build context of the working tree."""

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or of all dead runs; return their paths."""


class RunWriter(Protocol):
    """Writes the results of one run."""

    @property
    def folder(self) -> str:
        """The path of the results; it may not exist yet."""

    @property
    def holds_cells(self) -> bool:
        """True once a cell was written, and with it the folder."""

    def add_cell(self, cell: Cell, observation: Observation) -> None:
        """Write a cell and its log to disk."""

    def write(self, report: RunReport) -> None:
        """Replace the stored report; keep the summary if the new one has none."""


class Store(Protocol):
    """Stores results."""

    def open_run(self, run: RunInfo, name: str) -> RunWriter:
        """Open a new run; its folder appears with the first finished cell.

        Raises:
            UsageError: The path leads through a symbolic link.
            DisturbedError: The folder cannot be written.
        """

    def reopen_run(
        self, folder: str, run: RunInfo, cells: Sequence[Cell]
    ) -> tuple[RunWriter, list[str]]:
        """Open a stored run again, and mark its record as incomplete.

        Args:
            folder: As for `load`.
            run: Replaces what is stored.
            cells: The stored cells.

        Returns:
            The writer, and a line for each torn cell that was removed.

        Raises:
            UsageError: It is no run of this store, or the path leads through a symbolic link.
            DisturbedError: The folder cannot be written.
        """

    def load(self, folder: str) -> tuple[RunInfo, list[Cell], bool]:
        """Return a stored run, its cells, and whether it is complete.

        Args:
            folder: Its path, or its name alone.

        Raises:
            UsageError: It is not the folder of a run.
        """

    def load_noise_floor(self, key: str) -> NoiseFloor | None:
        """Return the stored noise of a key; None if there is no readable one."""

    def keep_noise_floor(self, noise_floor: NoiseFloor) -> str:
        """Store noise in place of the last one of its key; return the path."""

    def prune(self) -> list[str]:
        """Remove half-written files of killed runs; return their paths."""


class Progress(Protocol):
    """Receives the events of a run."""

    def say(self, text: str) -> None:
        """Called with a progress message."""

    def cell_started(self, slot: Slot, number: int) -> None:
        """Called when a cell starts."""

    def cell_moved(self, slot: Slot, line: ProgressLine) -> None:
        """Called with each progress line of a running cell."""

    def cell_ended(self, cell: Cell) -> None:
        """Called when a cell has ended."""

    def stands(self, table: str, outlook: Outlook) -> None:
        """Called with the table so far, in markdown, and the cells to come."""

    def knee(self, name: str, knee: Knee) -> None:
        """Called with the knee of a build; the name is its side, if there are two."""

    def rest(self) -> None:
        """Called when no further cell starts: a live view ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSpec:
    """A process to count.

    Args:
        place: The folder of the side's tree.
        level: Sessions that it drives.
    """

    side: Side
    place: str
    drive: Drive
    load: Load
    level: int


class Counter(Protocol):
    """Counts one kind of cost in processes under the virtual clock."""

    @property
    def name(self) -> CounterName:
        """The name of the counter."""

    @property
    def levels(self) -> tuple[int, int]:
        """The two levels of its slopes, the smaller first."""

    def find_missing(self) -> str:
        """Return what to install, in one sentence; empty if the counter works."""

    def count(self, specs: Sequence[CountSpec]) -> Sequence[CountedRun | Uncounted]:
        """Run the processes, some at once, and return their counts in the same order.

        No process and no file is left when this returns or raises.
        """


class LocalSides(Protocol):
    """Local environments: a side's tree in a folder, this interpreter, and no box."""

    @property
    def confinement(self) -> str:
        """The confinement of the processes; ``unconfined…`` without one."""

    @property
    def python(self) -> str:
        """The interpreter of the processes."""

    def open(self, trees: Mapping[Side, Tree]) -> AbstractContextManager[Mapping[Side, str]]:
        """Write each tree to its own folder; yield the folders, then remove them."""


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
