"""The decision: pairs of cells at one or two levels."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.levels import find_capacity, find_knee, measured_cells, pairs_at, passes
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.budget import fits, most_informative
from harness.plan.ladder import has_ended, in_phases, pair_slots


def pair_levels(plan: Plan, cells: Sequence[Cell]) -> tuple[int, ...]:
    """Return the levels at which pairs decide, ascending, after ladder and refinement.

    One is the highest level of the ladder within half of the base's capacity: there small differences of cost show.
    The other is the last level that both sides pass: there differences of latency show. Levels that the plan names
    replace them, as far as they lie below both knees.
    """
    if not plan.decides or any(has_ended(cells, side) for side in plan.sides):
        return ()
    climbed = in_phases(cells, Phase.LADDER, Phase.REFINE)
    fails = [find_knee(climbed, side).first_fail for side in plan.sides]
    below = [
        level
        for level in plan.decision_levels or plan.levels
        if all(fail is None or level < fail for fail in fails)
    ]
    if plan.decision_levels:
        return tuple(below)
    both = [
        level
        for level in below
        if all(passes(measured_cells(climbed, side, level)) for side in plan.sides)
    ]
    if not both:
        return ()
    within = find_capacity(climbed, Side.BASE, plan.objective).within or 0
    at_ease = max((level for level in both if 2 * level <= within), default=both[0])
    return tuple(sorted({at_ease, both[-1]}))


def next_pair(plan: Plan, cells: Sequence[Cell]) -> Slot | None:
    """Return the next cell of a decision pair, or None when there are enough.

    The levels alternate, block by block, until each has the pairs of the plan. Pairs of the ladder count; the first
    decision pair completes a block that the ladder left half done. After a failed cell a level only finishes its
    block, after a timeout only its pair. Under a budget only whole rounds run; what is left goes to the most
    informative blocks.
    """
    every = [_Series(plan, cells, level) for level in pair_levels(plan, cells)]
    for series in every:
        slot = series.unfinished
        if slot is not None:
            return slot
    usable = [series for series in every if not series.has_failed]
    short = [series for series in usable if series.number < series.end]
    if short:
        best = min(short, key=lambda series: series.number)
        turn = [series for series in short if series.number // 2 == best.number // 2]
        chosen = best if fits(plan, cells, {one.level: one.chunk for one in turn}) else None
    else:
        level = most_informative(plan, cells, {one.level: one.chunk for one in usable})
        chosen = next((series for series in usable if series.level == level), None)
    return None if chosen is None else chosen.slots(chosen.number)[0]


def missing_pairs(plan: Plan, cells: Sequence[Cell]) -> dict[int, int]:
    """Return the number of pairs, by level with too few and no failed cell."""
    return {
        level: made
        for level in pair_levels(plan, cells)
        if not _Series(plan, cells, level).has_failed
        and (made := len(pairs_at(cells, level))) < plan.pairs
    }


@dataclass(frozen=True, slots=True)
class _Series:
    """The decision pairs of one level, numbered after those of the ladder."""

    plan: Plan
    cells: Sequence[Cell]
    level: int

    @property
    def here(self) -> list[Cell]:
        """The decision cells that have run."""
        decision = in_phases(self.cells, Phase.DECISION)
        return [cell for cell in decision if cell.slot.level == self.level]

    @property
    def has_failed(self) -> bool:
        """True if a cell failed."""
        return any(cell.outcome not in {Outcome.OK, Outcome.INVALID} for cell in self.here)

    @property
    def first(self) -> int:
        """The number of the first decision pair."""
        return (2 * self.plan.blocks or 1) if self.level in self.plan.levels else 0

    @property
    def number(self) -> int:
        """The number of the next pair."""
        return max((_number(cell) + 1 for cell in self.here), default=self.first)

    @property
    def end(self) -> int:
        """The number after the last pair that the plan requires."""
        made = len(pairs_at(in_phases(self.cells, Phase.LADDER), self.level))
        return self.first + max(0, self.plan.pairs - made)

    @property
    def chunk(self) -> int:
        """The pairs of the next block: one if the block is half done."""
        to_block = 2 - self.number % 2
        left = self.end - self.number
        return min(to_block, left) if left > 0 else to_block

    @property
    def unfinished(self) -> Slot | None:
        """The next cell of the block in progress; None if there is no such block."""
        here = self.here
        if not here:
            return None
        last = max(_number(cell) for cell in here)
        ran = {cell.slot.side for cell in here if _number(cell) == last}
        for slot in self.slots(last):
            if slot.side not in ran:
                return slot
        is_whole = last % 2 == 1 or last + 1 == self.end
        if is_whole or any(cell.outcome.is_timeout for cell in here):
            return None
        return self.slots(last + 1)[0]

    def slots(self, number: int) -> tuple[Slot, ...]:
        """Return the two cells of a pair."""
        return pair_slots(self.plan, self.level, number, Phase.DECISION)


def _number(cell: Cell) -> int:
    return 2 * cell.slot.block + (cell.slot.pair or 0)
