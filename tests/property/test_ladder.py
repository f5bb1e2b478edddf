"""The ladder under all outcomes of cells."""

import itertools

from hypothesis import given, settings, strategies as st

from harness.analysis.levels import find_knee, measured_cells
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Side
from harness.model.plan import Plan
from harness.plan.next_cell import next_slot
from tests.builders.model import cell_at

LEVELS = (10, 20, 40)
BOTH = (Side.BASE, Side.BRANCH)
PLANS = st.builds(
    Plan,
    levels=st.lists(st.sampled_from(LEVELS), min_size=1, unique=True).map(sorted).map(tuple),
    blocks=st.integers(1, 3),
    sides=st.sampled_from([BOTH, (Side.BASE,), (Side.BRANCH,)]),
)
ENDINGS = st.lists(st.sampled_from([Outcome.OK, Outcome.OK, *Outcome]), max_size=40)


def _run(plan: Plan, endings: list[Outcome]) -> list[Cell]:
    """Run a plan to its end; cells beyond `endings` are ok."""
    cells: list[Cell] = []
    while (slot := next_slot(plan, cells)) is not None:
        ending = endings[len(cells)] if len(cells) < len(endings) else Outcome.OK
        cells.append(cell_at(slot, ending))
        assert len(cells) <= 2 * 4 * plan.blocks * len(plan.levels), "more cells than there are"
    return cells


def _is_failure(cell: Cell) -> bool:
    if cell.outcome is Outcome.INVALID:
        return cell.slot.attempt > 0
    return cell.outcome is not Outcome.OK


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS)
def test_ladder_ends_and_climbs(plan: Plan, endings: list[Outcome]) -> None:
    """The ladder ends, and skips neither levels nor blocks."""
    cells = _run(plan, endings)
    places = [(cell.slot.level, cell.slot.block) for cell in cells]
    assert places == sorted(places)
    reached = list(dict.fromkeys(level for level, _ in places))
    assert reached == list(plan.levels[: len(reached)])


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS)
def test_ladder_ends_early_only_when_every_side_has_stopped(
    plan: Plan, endings: list[Outcome]
) -> None:
    """A side without a failure ran at every level."""
    cells = _run(plan, endings)
    for side in plan.sides:
        own = [cell for cell in cells if cell.slot.side is side]
        if not any(_is_failure(cell) for cell in own):
            assert {cell.slot.level for cell in own} == set(plan.levels)


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS)
def test_ladder_never_runs_a_side_after_the_block_it_stopped_in(
    plan: Plan, endings: list[Outcome]
) -> None:
    """After a failure the block may be finished; after a timeout the side stops."""
    cells = _run(plan, endings)
    for index, cell in enumerate(cells):
        if not _is_failure(cell):
            continue
        later = [other for other in cells[index + 1 :] if other.slot.side is cell.slot.side]
        block = (cell.slot.level, cell.slot.block)
        assert all((other.slot.level, other.slot.block) == block for other in later)
        if cell.outcome.is_timeout:
            assert later == []


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS)
def test_ladder_retries_an_invalid_cell_once(plan: Plan, endings: list[Outcome]) -> None:
    """A retry follows its invalid cell at once, in the same place."""
    cells = _run(plan, endings)
    for first, second in itertools.pairwise(cells):
        if first.outcome is Outcome.INVALID and first.slot.attempt == 0:
            assert second.slot.attempt == 1
        if second.slot.attempt:
            assert first.outcome is Outcome.INVALID
            place = (first.slot.side, first.slot.level, first.slot.block, first.slot.pair)
            assert place == (
                second.slot.side,
                second.slot.level,
                second.slot.block,
                second.slot.pair,
            )


@settings(deadline=None)
@given(levels=st.integers(1, 4), blocks=st.integers(1, 4))
def test_ladder_of_ok_cells_is_balanced(levels: int, blocks: int) -> None:
    """Each side runs twice per block, in neighbouring pairs, and is first in turn."""
    plan = Plan(levels=tuple(range(1, levels + 1)), blocks=blocks, sides=BOTH)
    cells = _run(plan, [])
    quads = [cells[start : start + 4] for start in range(0, len(cells), 4)]
    assert len(quads) == levels * blocks
    for quad in quads:
        sides = [cell.slot.side for cell in quad]
        assert sides == sides[::-1]
        assert {*sides[:2]} == set(BOTH)
        assert [cell.slot.pair for cell in quad] == [0, 0, 1, 1]
    firsts = [quad[0].slot.side for quad in quads[:blocks]]
    assert all(one is not two for one, two in itertools.pairwise(firsts))


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS)
def test_knee_brackets_the_failure(plan: Plan, endings: list[Outcome]) -> None:
    """Only ok cells are below the bracket, and a failed cell is at its upper end."""
    cells = _run(plan, endings)
    for side in plan.sides:
        knee = find_knee(cells, side)
        passed = [level for level in plan.levels if level <= (knee.last_pass or 0)]
        for level in passed:
            here = measured_cells(cells, side, level)
            assert all(cell.outcome is Outcome.OK for cell in here)
        if knee.first_fail is not None:
            failed = measured_cells(cells, side, knee.first_fail)
            assert any(cell.outcome is knee.outcome for cell in failed)
            assert (knee.last_pass or 0) < knee.first_fail
