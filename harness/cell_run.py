"""One cell from its order to its place on disk, and the cell before all others that proves that a build runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import structs

from harness.errors import DisturbedError
from harness.model import Cell, Load, Outcome, Phase, RunInfo, SideInfo, Slot
from harness.outcome import Observation, decide, evidence_of, sessions_done
from harness.ports import Box, Build, CellOrder, Clock, Progress, RunWriter
from harness.sides import MARKS, foreign_subject

_SHARDS = "SCALE_PROCS"  # one session cannot be spread over several processes
_CHECK_LOAD = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)


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
