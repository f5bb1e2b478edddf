"""One run's loop: ask the plan for the next cell, run it, decide its outcome, keep it."""

from dataclasses import dataclass, field

from msgspec import structs

from harness.compare import Comparison, compare
from harness.errors import DisturbedError
from harness.model import Cell, Load, Outcome, RunInfo, Slot
from harness.outcome import Observation, decide, evidence_of, sessions_done
from harness.plan import CHECK_BLOCK, Plan, check_slots, next_slot
from harness.ports import Box, Build, CellOrder, Clock, Progress, RunWriter
from harness.report import render
from harness.sides import MARKS, foreign_subject

_CHECK_LOAD = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)


@dataclass(slots=True)
class Run:
    """The cells of one run, as they come in.

    Args:
        writer: Has each cell on disk before the next one starts.
    """

    box: Box
    clock: Clock
    progress: Progress
    writer: RunWriter
    info: RunInfo
    cells: list[Cell] = field(default_factory=list)

    def go(self) -> Comparison:
        """Run all cells of the plan.

        Raises:
            BaseCannotRunError, BranchCannotRunError: A side's first cell, at C=1, does not end ok.
            DisturbedError: A cell ran other code than its side's.
        """
        sides = tuple(side.side for side in self.info.sides)
        plan = Plan(levels=self.info.levels, blocks=self.info.blocks, sides=sides)
        for slot in check_slots(plan):
            self._check(slot)
        while (slot_or_none := next_slot(plan, self.cells)) is not None:
            self._run(slot_or_none, self.info.load)
        return self._write(complete=True)

    def _check(self, slot: Slot) -> None:
        cell = self._run(slot, _CHECK_LOAD)
        if cell.outcome is Outcome.INVALID and slot.attempt == 0:
            cell = self._run(structs.replace(slot, attempt=1), _CHECK_LOAD)
        if cell.outcome is Outcome.OK:
            return
        if cell.outcome is Outcome.INVALID:
            msg = f"the first cell of the {slot.side} is invalid: {cell.reason}"
            raise DisturbedError(msg, hint="nothing was measured")
        side = next(side for side in self.info.sides if side.side is slot.side)
        where = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:12]
        name = "build" if self.info.kind == "ramp" else slot.side
        tail = cell.evidence.get("stderr-tail")
        lines = [str(line) for line in tail] if isinstance(tail, list) else []
        msg = f"the {name} {where} cannot run the probe at C=1: {cell.outcome}, {cell.reason}"
        raise MARKS[slot.side](msg, hint="nothing was measured", tail=lines[-10:])

    def _run(self, slot: Slot, load: Load) -> Cell:
        side = next(side for side in self.info.sides if side.side is slot.side)
        order = CellOrder(
            run_id=self.info.run_id,
            arm=self.info.arm,
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
        cell = self._judge(slot, seen, foreign, started_at)
        self.cells.append(cell)
        if slot.block != CHECK_BLOCK:
            self.writer.add_cell(cell, seen)
            self.progress.cell_ended(cell)
            self._write(complete=False)
        if foreign:
            msg = f"the {slot.side} cell at C={slot.level} is not what it is said to be: {foreign}"
            raise DisturbedError(msg, hint="see that the image runs what is copied into it")
        return cell

    def _judge(self, slot: Slot, seen: Observation, foreign: str, started_at: str) -> Cell:
        outcome, reason = decide(seen, self.info.caps, slot.level)
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

    def _write(self, *, complete: bool) -> Comparison:
        comparison = compare(self.info, self.cells, complete=complete)
        self.writer.write(comparison, render(comparison))
        return comparison
