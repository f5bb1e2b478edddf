"""The loop of a comparison or a ramp: ask the plan for the next cell, run it, write how things stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cell_run import CellRun
from harness.compare import Comparison, compare
from harness.model import Cell, RunInfo
from harness.plan import check_slots, look_ahead, next_slot, plan_of
from harness.ports import Box, Clock, Progress, RunWriter
from harness.report import levels_table, render, render_summary


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
        plan = plan_of(self.info)
        for slot in check_slots(plan):
            self._cell_run.check(slot, sides[slot.side])
        while (slot_or_none := next_slot(plan, self._cell_run.cells)) is not None:
            self._cell_run.run(slot_or_none, sides[slot_or_none.side], self.info.load)
        return self._write(complete=True)

    def _ended(self, cell: Cell) -> None:
        self.progress.cell_ended(cell)
        comparison = self._write(complete=False)
        outlook = look_ahead(plan_of(self.info), self._cell_run.cells)
        self.progress.stands(levels_table(comparison), outlook)

    def _write(self, *, complete: bool) -> Comparison:
        comparison = compare(self.info, self._cell_run.cells, complete=complete)
        summary = render_summary(comparison) if self.info.kind == "gate" else ""
        self.writer.write(comparison, render(comparison), summary)
        return comparison
