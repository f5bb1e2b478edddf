"""One cell from its order to its place on disk, and the cell before all others that proves that a build runs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec import structs

from experiments.speed_goals.findings import GoalTable, find_goals
from harness.analysis.comparison import Comparison, compare
from harness.model.cells import Cell, Slot
from harness.model.errors import DisturbedError, NoBoxError, UsageError
from harness.model.nouns import Load, Outcome, Phase
from harness.model.runs import RunInfo, SideInfo
from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.rules import decide
from harness.plan.ladder import check_slots
from harness.plan.next_cell import next_slot
from harness.plan.outlook import look_ahead
from harness.report.document import render, render_summary
from harness.report.lines import show_caps
from harness.report.tables import levels_table
from harness.verbs.ports import Box, Build, CellOrder, Clock, Progress, RunWriter, World
from harness.verbs.sides import MARKS, foreign_subject

_SHARDS = "SCALE_PROCS"  # one session cannot be spread over several processes
_CHECK_LOAD = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
_HOW_TO_READ = "what the columns and outcomes mean: README.md, “How to read the table”"
Said = TypeVar("Said", Comparison, GoalTable)


@dataclass(slots=True, kw_only=True)
class CellRun:
    """The cells of one run, as they come in.

    Args:
        writer: Has each cell on disk before the next one starts.
        on_cell: Is told of each cell but the checks, once it is on disk.
        cells: Those that are on disk.
    """

    box: Box
    clock: Clock
    progress: Progress
    writer: RunWriter
    info: RunInfo
    on_cell: Callable[[Cell], None]
    cells: list[Cell] = field(default_factory=list)

    def check(self, slot: Slot, side: SideInfo) -> None:
        """Prove, before anything is measured, that a build can run the probe at all.

        Raises:
            BaseCannotRunError, BranchCannotRunError: Its cell does not end ok.
            DisturbedError: Its cell is invalid, twice.
        """
        alone = {name: value for name, value in side.environment.items() if name != _SHARDS}
        side = structs.replace(side, environment=alone)
        cell = self.run(slot, side, _CHECK_LOAD)
        if cell.outcome is Outcome.INVALID:
            self.progress.cell_ended(cell)
            cell = self.run(structs.replace(slot, attempt=1), side, _CHECK_LOAD)
        if cell.outcome is Outcome.OK:
            return
        if cell.outcome is Outcome.INVALID:
            msg = f"the first cell of the {slot.side} is invalid: {cell.reason}"
            raise DisturbedError(msg, hint="nothing was measured")
        where = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:12]
        name = slot.side if self.info.has_two_sides else "build"
        tail = cell.evidence.get("stderr-tail")
        lines = [str(line) for line in tail] if isinstance(tail, list) else []
        msg = f"the {name} {where} cannot run the probe at C=1: {cell.outcome}, {cell.reason}"
        raise MARKS[slot.side](msg, hint="nothing was measured", tail=lines[-10:])

    def run(self, slot: Slot, side: SideInfo, load: Load) -> Cell:
        """Run a cell, decide its outcome and keep it.

        Raises:
            DisturbedError: It ran other code than its side's.
        """
        order = CellOrder(
            run_id=self.info.run_id,
            arm=side.arm,
            level=slot.level,
            load=load,
            caps=self.info.caps,
            environment=side.environment,
        )
        started_at = self.clock.utc_stamp()
        self.progress.cell_started(slot, len(self.cells) + 1)
        seen = self.box.run_cell(
            Build(image=side.image, how=""),
            order,
            lambda line: self.progress.cell_moved(slot, line),
        )
        foreign = foreign_subject(seen.output.result, side)
        cell = structs.replace(
            self._judge(slot, seen, foreign, order, started_at),
            arm=side.arm,
            environment=side.environment,
        )
        if slot.phase is not Phase.CHECK:
            self.cells.append(cell)
            self.writer.add_cell(cell, seen)
            self.on_cell(cell)
        if foreign:
            msg = f"the {slot.side} cell at C={slot.level} is not what it is said to be: {foreign}"
            raise DisturbedError(msg, hint="see that the image runs what is copied into it")
        return cell

    def _judge(
        self, slot: Slot, seen: Observation, foreign: str, order: CellOrder, started_at: str
    ) -> Cell:
        is_check = slot.phase is Phase.CHECK  # which measures nothing that lateness could spoil
        attempt = 1 if is_check else slot.attempt
        outcome, reason = decide(
            seen, order.caps, order.level, attempt=attempt, load=order.load, arm=order.arm
        )
        if foreign:
            outcome, reason = Outcome.INVALID, foreign
        result = seen.output.result
        last = seen.output.progress[-1] if seen.output.progress else None
        known = result or last
        number = len(self.cells) + 1
        return Cell(
            slot=slot,
            outcome=outcome,
            reason=reason,
            started_at=started_at,
            wall_s=round(seen.wall_s, 3),
            exit_code=seen.exit_code,
            sessions_done=sessions_done(seen),
            peak_threads=known.peak_threads if known else None,
            peak_rss_mb=known.peak_rss_mb if known else None,
            peak_fds=known.peak_fds if known else None,
            result=result,
            evidence=evidence_of(seen),
            log=f"logs/{number:03d}-{slot.side}-C{slot.level}.log",
        )


@dataclass(slots=True)
class Run:
    """One run.

    Args:
        writer: Has each cell on disk before the next one starts.
        kept: The cells that the run has already.
    """

    box: Box
    clock: Clock
    progress: Progress
    writer: RunWriter
    info: RunInfo
    kept: Sequence[Cell] = ()
    _cell_run: CellRun = field(init=False)

    def __post_init__(self) -> None:
        self._cell_run = CellRun(
            box=self.box,
            clock=self.clock,
            progress=self.progress,
            writer=self.writer,
            info=self.info,
            on_cell=self._ended,
            cells=list(self.kept),
        )

    def go(self) -> Comparison:
        """Run all cells of the plan.

        Raises:
            BaseCannotRunError, BranchCannotRunError: A side's first cell, at C=1, does not end ok.
            DisturbedError: A cell ran other code than its side's.
        """
        sides = {side.side: side for side in self.info.sides}
        plan = self.info.plan
        for slot in check_slots(plan):
            self._cell_run.check(slot, sides[slot.side])
        while (slot_or_none := next_slot(plan, self._cell_run.cells)) is not None:
            self._cell_run.run(slot_or_none, sides[slot_or_none.side], self.info.load)
        return self._write(complete=True)

    def _ended(self, cell: Cell) -> None:
        self.progress.cell_ended(cell)
        comparison = self._write(complete=False)
        outlook = look_ahead(self.info.plan, self._cell_run.cells)
        self.progress.stands(levels_table(comparison), outlook)

    def _write(self, *, complete: bool) -> Comparison:
        comparison = compare(self.info, self._cell_run.cells, complete=complete)
        summary = render_summary(comparison) if self.info.kind == "gate" else ""
        self.writer.write(comparison, render(comparison), summary)
        return comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A run that is ready for its next cell.

    Args:
        run: What is settled.
        writer: Where its cells go.
        kept: Those that it has already, in the order in which they ran.
    """

    run: RunInfo
    writer: RunWriter
    kept: tuple[Cell, ...] = ()


def open_new(world: World, run: RunInfo, name: str) -> Opened:
    """Make ready for a run that has no cells yet."""
    return Opened(run=run, writer=world.store.open_run(run, name))


def climb(world: World, opened: Opened) -> str:
    """Go up the ladder of a comparison or a ramp, and return its table."""
    with tidied(world):
        comparison, folder = run_ladder(world, opened)
    world.progress.say(f"results in {folder}")
    world.progress.say(_HOW_TO_READ)
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the invalid cells under the table, then run it again")
    return render(comparison)


def run_ladder(world: World, opened: Opened) -> tuple[Comparison, str]:
    """Run the cells of a comparison or a ramp, and tell each side's knee; return what they say, and where it is.

    What the cells wrote is left, to be `tidied`.
    """
    comparison, folder = measure(
        world,
        opened,
        lambda: Run(
            world.box, world.clock, world.progress, opened.writer, opened.run, opened.kept
        ).go(),
    )
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    return comparison, folder


def measure(world: World, opened: Opened, loop: Callable[[], Said]) -> tuple[Said, str]:
    """Run a loop over cells; return what they say, and the folder in which it is."""
    world.progress.say(f"cells  {show_caps(opened.run.caps, opened.run.box)}")
    writer = opened.writer
    try:
        return loop(), writer.folder
    except KeyboardInterrupt:
        if writer.holds_cells:
            goes_on = f"`invoke {opened.run.kind} --resume {writer.folder}` goes on with it"
            world.progress.say(f"what was measured is in {writer.folder}; {goes_on}")
        raise
    finally:
        world.progress.rest()


@contextmanager
def tidied(world: World) -> Iterator[None]:
    """Remove, after the last cell, what all of them wrote: files that are removed between cells make the next ones dear.

    An engine that refuses to must not take the result with it.
    """
    try:
        yield
    finally:
        _tidy(world)


def _tidy(world: World) -> None:
    world.progress.say("removing what the cells wrote")
    try:
        world.box.reap(world.run_id)
        world.box.trim()
    except NoBoxError as error:
        world.progress.say(f"{error}; `invoke clean` removes what is left")


def derive(run: RunInfo, cells: Sequence[Cell], *, complete: bool) -> Comparison | GoalTable:
    """Derive what a stored run says from its cells.

    Raises:
        UsageError: They hold what no run measures, or goals that this version does not know.
    """
    say = find_goals if run.kind == "goals" else compare
    try:
        return say(run, cells, complete=complete)
    except (ArithmeticError, LookupError, ValueError) as error:
        msg = f"the run of {run.started_at} holds what no run measures: {error}"
        raise UsageError(msg, hint="restore its files from a copy") from error
