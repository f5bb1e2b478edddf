"""All phases of a plan under all outcomes of cells."""

import itertools
from collections import Counter

from hypothesis import given, settings, strategies as st
from msgspec import structs

from harness.analysis.levels import find_knee, measured_cells, passes
from harness.model.cells import Cell
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.budget import used_s
from harness.plan.next_cell import next_slot
from tests.builders.model import cell_at, make_result
from tests.builders.planned import BOTH, Rule, run_plan

LEVELS = (10, 20, 40, 100)
PLANS = st.builds(
    Plan,
    levels=st.lists(st.sampled_from(LEVELS), min_size=1, unique=True).map(sorted).map(tuple),
    blocks=st.integers(0, 2),
    sides=st.just(BOTH),
    warm_up=st.booleans(),
    refine=st.booleans(),
    pairs=st.integers(0, 7),
    decision_levels=st.sampled_from([(), (10,), (15, 40)]),
    budget_s=st.none() | st.floats(0.0, 300.0),
)
ENDINGS = st.lists(st.sampled_from([Outcome.OK, Outcome.OK, *Outcome]), max_size=60)
WALLS = st.lists(st.floats(0.5, 30.0), min_size=1, max_size=9)
LIMITS = st.integers(5, 130)


def _run(plan: Plan, endings: list[Outcome], walls: list[float]) -> list[Cell]:
    """Run a plan to its end; cells beyond `endings` are ok, times come from `walls`."""
    cells: list[Cell] = []
    while (slot := next_slot(plan, cells)) is not None:
        number = len(cells)
        ending = endings[number] if number < len(endings) else Outcome.OK
        noise = 1 + 0.1 * ((number * 7) % 5)
        cell = cell_at(slot, ending, wall_s=walls[number % len(walls)])
        measured = make_result(slot.level, cpu_ms_per_turn=noise, rss_kb_per_session=noise)
        cells.append(cell_at(slot, ending, wall_s=cell.wall_s, **_result(cell, measured)))
        assert number < 600, "the plan does not end"
    return cells


def _result(cell: Cell, measured: object) -> dict[str, object]:
    return {"result": measured} if cell.outcome is Outcome.OK else {}


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS, walls=WALLS)
def test_plan_ends_and_runs_every_slot_once(
    plan: Plan, endings: list[Outcome], walls: list[float]
) -> None:
    """The run ends, no slot runs twice, and the phases keep their order."""
    cells = _run(plan, endings, walls)
    slots = [cell.slot for cell in cells]
    assert len(set(slots)) == len(slots)
    phases = [phase for phase, _ in itertools.groupby(slot.phase for slot in slots)]
    assert phases == [phase for phase in Phase if phase in phases]


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS, walls=WALLS)
def test_plan_splits_a_pair_only_at_the_end_of_a_side(
    plan: Plan, endings: list[Outcome], walls: list[float]
) -> None:
    """A cell is alone only after a timeout or two invalid attempts."""
    cells = [cell for cell in _run(plan, endings, walls) if cell.slot.pair is not None]
    groups = itertools.groupby(
        cells, key=lambda c: (c.slot.phase, c.slot.level, c.slot.block, c.slot.pair)
    )
    seen = []
    for place, group in groups:
        seen.append(place)
        here = list(group)
        if {cell.slot.side for cell in here} != set(BOTH):
            earlier = cells[: cells.index(here[-1]) + 1]
            assert any(
                c.outcome.is_timeout or (c.outcome is Outcome.INVALID and c.slot.attempt)
                for c in earlier
            )
    assert len(seen) == len(set(seen))


@settings(deadline=None)
@given(plan=PLANS, walls=WALLS)
def test_plan_favours_no_side(plan: Plan, walls: list[float]) -> None:
    """Both sides are first equally often, and ABBA is followed by BAAB."""
    cells = [cell for cell in _run(plan, [], walls) if cell.slot.pair is not None]
    for level in {cell.slot.level for cell in cells}:
        firsts = [cell.slot.side for cell in cells if cell.slot.level == level][::2]
        counts = Counter(firsts)
        assert abs(counts[Side.BASE] - counts[Side.BRANCH]) <= 1
        blocks = [firsts[start : start + 2] for start in range(0, len(firsts), 2)]
        assert all(len(set(block)) == len(block) for block in blocks)
        assert all(one[0] is not two[0] for one, two in itertools.pairwise(blocks))


@settings(deadline=None)
@given(plan=PLANS, base=LIMITS, branch=LIMITS)
def test_refinement_brackets_the_limit_within_ten_percent(
    plan: Plan, base: int, branch: int
) -> None:
    """The breaking point is within a bracket of neighbours or of 10 %."""
    limits = {Side.BASE: base, Side.BRANCH: branch}
    rule = Rule(
        ending=lambda slot, _: Outcome.OK if slot.level < limits[slot.side] else Outcome.OOM
    )
    cells = run_plan(structs.replace(plan, refine=True, decision_levels=()), rule)
    for side, limit in limits.items():
        knee = find_knee(cells, side)
        if knee.first_fail is None:
            assert knee.last_pass == plan.levels[-1] < limit
            continue
        assert (knee.last_pass or 0) < limit <= knee.first_fail
        if knee.last_pass is not None:
            is_close = knee.first_fail <= 1.10 * knee.last_pass
            assert is_close or knee.first_fail - knee.last_pass == 1


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS, walls=WALLS)
def test_refinement_repeats_a_level_three_times_at_most(
    plan: Plan, endings: list[Outcome], walls: list[float]
) -> None:
    """A level repeats three times at most, and the majority decides."""
    cells = _run(plan, endings, walls)
    for side in BOTH:
        probed = [c for c in cells if c.slot.phase is Phase.REFINE and c.slot.side is side]
        for level in {cell.slot.level for cell in probed}:
            here = [
                c for c in probed if c.slot.level == level and c.outcome is not Outcome.INVALID
            ]
            assert len(here) <= 3
            climbed = [c for c in cells if c.slot.phase in {Phase.LADDER, Phase.REFINE}]
            votes = measured_cells(climbed, side, level)
            ok = sum(cell.outcome is Outcome.OK for cell in votes)
            assert passes(votes) == (bool(votes) and 3 * ok >= 2 * len(votes))


@settings(deadline=None)
@given(plan=PLANS, endings=ENDINGS, walls=WALLS)
def test_budget_is_exceeded_by_no_more_than_a_block(
    plan: Plan, endings: list[Outcome], walls: list[float]
) -> None:
    """Only the last block, or the cells before the decision, exceed the budget."""
    cells = _run(plan, endings, walls)
    if plan.budget_s is None:
        return
    decision = [cell for cell in cells if cell.slot.phase is Phase.DECISION]
    if not decision:
        return
    last = (decision[-1].slot.level, decision[-1].slot.block)
    block = [cell for cell in decision if (cell.slot.level, cell.slot.block) == last]
    assert used_s(cells) - used_s(block) <= plan.budget_s
