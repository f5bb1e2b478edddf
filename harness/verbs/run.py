"""The loop over cells, for every verb that runs some."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import structs

from harness.analysis.comparison import Comparison, compare
from harness.model.cells import Cell, Slot
from harness.model.errors import DisturbedError, UsageError
from harness.model.nouns import Drive, Load, Outcome, Phase
from harness.model.runs import RunInfo, SideInfo
from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.rules import decide
from harness.plan.ladder import check_slots
from harness.plan.next_cell import next_slot
from harness.plan.outlook import look_ahead
from harness.plan.shortfalls import find_shortfalls
from harness.report.derived import report_of
from harness.report.document import render
from harness.report.lines import show_caps
from harness.report.tables import levels_table
from harness.verbs.ports import Build, CellSpec, RunWriter, World
from harness.verbs.sides import CANNOT_RUN, foreign_subject

_SHARDS = "SCALE_PROCS"  # one session cannot be spread over several processes
_CHECK_LOAD = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
_HOW_TO_READ = "what the columns and outcomes mean: README.md, “How to read the table”"

NextCell = Callable[[Sequence[Cell]], tuple[Slot, SideInfo] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that is ready for its next cell.

    Args:
        info: Everything that was settled before the first cell.
        writer: Receives each cell before the next one starts.
        cells: The cells on disk, in order; grows with the run.
    """

    info: RunInfo
    writer: RunWriter
    cells: list[Cell] = field(default_factory=list)


def open_run(world: World, info: RunInfo, name: str) -> OpenRun:
    """Open a run that has no cells yet."""
    return OpenRun(info=info, writer=world.store.open_run(info, name))


def run_and_report(world: World, run: OpenRun) -> str:
    """Run the cells of a comparison or a ramp, and return the table.

    Raises:
        DisturbedError: A cell was invalid twice.
    """
    comparison = run_ladder(world, run)
    world.progress.say(_HOW_TO_READ)
    if any(cell.outcome is Outcome.INVALID and cell.slot.attempt for cell in comparison.invalid):
        msg = f"a cell was invalid twice: the results in {run.writer.folder} do not reach the knee"
        raise DisturbedError(msg, hint="see the invalid cells under the table, then run it again")
    return render(comparison)


def run_ladder(world: World, run: OpenRun) -> Comparison:
    """Run the cells of the plan; write and report how the run stands after each.

    Raises:
        BaseCannotRunError, BranchCannotRunError: A side's first cell, at C=1, does not end ok.
        DisturbedError: A cell loaded code that is not its side's.
    """
    plan, sides = run.info.plan, {info.side: info for info in run.info.sides}

    def next_cell(cells: Sequence[Cell]) -> tuple[Slot, SideInfo] | None:
        slot = next_slot(plan, cells)
        return None if slot is None else (slot, sides[slot.side])

    with reported(world, run):
        for cell in run_cells(world, run, next_cell):
            world.progress.cell_ended(cell)
            comparison = _write(run, complete=False)
            world.progress.stands(levels_table(comparison), look_ahead(plan, run.cells))
        comparison = _write(run, complete=True)
    for side, knee in comparison.knees.items():
        world.progress.knee(comparison.name_of(side), knee)
    world.progress.say(f"results in {run.writer.folder}")
    return comparison


def derive(info: RunInfo, cells: Sequence[Cell], *, complete: bool) -> Comparison:
    """Return the comparison of a run's cells, with what its budget did not pay for.

    Raises:
        UsageError: The cells hold values that no run measures.
    """
    with possible_values(info):
        shortfalls = find_shortfalls(info, cells, complete=complete)
        return compare(info, cells, complete=complete, shortfalls=shortfalls)


@contextmanager
def possible_values(info: RunInfo) -> Iterator[None]:
    """Turn an error of the arithmetic into one of the stored run.

    Raises:
        UsageError: The cells hold values that no run measures.
    """
    try:
        yield
    except (ArithmeticError, LookupError, ValueError) as error:
        msg = f"the run of {info.started_at} holds values that no run measures: {error}"
        raise UsageError(msg, hint="restore its files from a copy") from error


@contextmanager
def reported(world: World, run: OpenRun) -> Iterator[None]:
    """Report the caps before the cells, and after an interruption how to resume."""
    world.progress.say(f"cells  {show_caps(run.info.caps, run.info.box)}")
    try:
        yield
    except KeyboardInterrupt:
        folder = run.writer.folder
        if run.writer.holds_cells:
            resume = f"`invoke {run.info.kind} --resume {folder}` continues it"
            world.progress.say(f"the finished cells are in {folder}; {resume}")
        raise
    finally:
        world.progress.rest()


def run_cells(world: World, run: OpenRun, next_cell: NextCell) -> Iterator[Cell]:
    """Check each side, then run one cell after another; yield each when it is on disk.

    Args:
        next_cell: Called with the cells so far; returns the place and the side of the next, or None at the end.

    Raises:
        BaseCannotRunError, BranchCannotRunError: A side's first cell, at C=1, does not end ok.
        DisturbedError: A cell loaded code that is not its side's.
    """
    sides = {info.side: info for info in reversed(run.info.sides)}
    for slot in check_slots(run.info.plan):
        _check(world, run, slot, sides[slot.side])
    while (following := next_cell(run.cells)) is not None:
        slot, side = following
        cell, seen = _run_cell(world, run, slot, side, run.info.load)
        run.cells.append(cell)
        run.writer.add_cell(cell, seen)
        yield cell
        _refuse_foreign(seen, slot, side)


def _check(world: World, run: OpenRun, slot: Slot, side: SideInfo) -> None:
    """Prove, before anything is measured, that a build can run the probe.

    Raises:
        BaseCannotRunError, BranchCannotRunError: Its cell does not end ok.
        DisturbedError: Its cell is invalid twice, or loads other code.
    """
    alone = {name: text for name, text in side.drive.environment.items() if name != _SHARDS}
    side = structs.replace(side, drive=Drive(arm=side.drive.arm, environment=alone))
    cell, seen = _run_cell(world, run, slot, side, _CHECK_LOAD)
    _refuse_foreign(seen, slot, side)
    if cell.outcome is Outcome.INVALID:
        world.progress.cell_ended(cell)
        again = structs.replace(slot, attempt=1)
        cell, seen = _run_cell(world, run, again, side, _CHECK_LOAD)
        _refuse_foreign(seen, slot, side)
    if cell.outcome is Outcome.OK:
        return
    if cell.outcome is Outcome.INVALID:
        msg = f"the first cell of the {slot.side} is invalid: {cell.reason}"
        raise DisturbedError(msg, hint="nothing was measured")
    where = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:12]
    name = slot.side if run.info.has_two_sides else "build"
    tail = cell.evidence.get("stderr-tail")
    lines = [str(line) for line in tail] if isinstance(tail, list) else []
    msg = f"the {name} {where} cannot run the probe at C=1: {cell.outcome}, {cell.reason}"
    raise CANNOT_RUN[slot.side](msg, hint="nothing was measured", tail=lines[-10:])


def _run_cell(
    world: World, run: OpenRun, slot: Slot, side: SideInfo, load: Load
) -> tuple[Cell, Observation]:
    """Run one cell and decide its outcome."""
    spec = CellSpec(
        run_id=run.info.run_id,
        arm=side.drive.arm,
        level=slot.level,
        load=load,
        caps=run.info.caps,
        environment=side.drive.environment,
    )
    started_at, number = world.utc_stamp(), len(run.cells) + 1
    world.progress.cell_started(slot, number)
    seen = world.box.run_cell(
        Build(image=side.image, how=""),
        spec,
        lambda line: world.progress.cell_moved(slot, line),
    )
    outcome, reason = _decide(seen, slot, side, spec)
    result = seen.output.result
    known = result or (seen.output.progress[-1] if seen.output.progress else None)
    cell = Cell(
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
        drive=side.drive,
    )
    return cell, seen


def _decide(seen: Observation, slot: Slot, side: SideInfo, spec: CellSpec) -> tuple[Outcome, str]:
    foreign = foreign_subject(seen.output.result, side)
    if foreign:
        return Outcome.INVALID, foreign
    # a check measures nothing that lateness could spoil
    attempt = 1 if slot.phase is Phase.CHECK else slot.attempt
    return decide(seen, spec.caps, spec.level, attempt=attempt, load=spec.load, arm=spec.arm)


def _refuse_foreign(seen: Observation, slot: Slot, side: SideInfo) -> None:
    foreign = foreign_subject(seen.output.result, side)
    if foreign:
        msg = f"the {slot.side} cell at C={slot.level} ran other code than its side's: {foreign}"
        raise DisturbedError(msg, hint="see that the image runs what is copied into it")


def _write(run: OpenRun, *, complete: bool) -> Comparison:
    comparison = derive(run.info, run.cells, complete=complete)
    run.writer.write(report_of(comparison))
    return comparison
