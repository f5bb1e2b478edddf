"""The goals: how each figure is read, and when a goal is met."""

import pytest
from msgspec import structs

from experiments.speed_goals.definitions import GOALS, choose_goals
from experiments.speed_goals.findings import GoalResult, find_goals
from experiments.speed_goals.goal import REFERENCE_CAPS, Goal, drives_of
from experiments.speed_goals.plan import next_run
from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Outcome, Side
from harness.model.runs import RunInfo
from tests.builders.model import make_cell, make_run, ok_cell

BY_KEY = {goal.key: goal for goal in GOALS}
THREADS, MEMORY, CAPACITY = BY_KEY["mem-threads"], BY_KEY["mem-memory"], BY_KEY["mem-capacity"]
CPU, STATE = BY_KEY["mem-4000-cpu"], BY_KEY["ckpt-1000-state-cpu"]


def _driven(goal: Goal, cell: Cell, repeat: int = 0) -> Cell:
    slot = structs.replace(cell.slot, block=repeat, side=Side.BRANCH, pair=None)
    return structs.replace(cell, slot=slot, drive=goal.drive)


def _ok(goal: Goal, level: int, *, repeat: int = 0, **measured: object) -> Cell:
    return _driven(goal, ok_cell(Side.BRANCH, level, measured), repeat)


def _died(
    goal: Goal, level: int, outcome: Outcome = Outcome.OOM, *, peak_threads: int | None = None
) -> Cell:
    return _driven(goal, make_cell(Side.BRANCH, level, outcome, peak_threads=peak_threads))


def _run(goal: Goal, repeats: int = 1) -> RunInfo:
    return make_run(
        levels=(), sides=[Side.BRANCH], kind="goals", blocks=repeats, goals=(goal.key,)
    )


def _find(goal: Goal, *cells: Cell, repeats: int = 1) -> GoalResult:
    (finding,) = find_goals(_run(goal, repeats), cells, complete=True).findings
    return finding


def test_goals_have_keys_of_their_own() -> None:
    """What is stored under a key is of one goal."""
    assert len(BY_KEY) == len(GOALS)
    assert all(goal.why for goal in GOALS)


def test_goals_are_for_the_box_of_the_defaults() -> None:
    """A goal means nothing in another box."""
    assert (REFERENCE_CAPS.cpus, REFERENCE_CAPS.memory_bytes >> 30) == (2, 2)


def test_figure_at_a_level_is_the_median_of_the_repeats() -> None:
    """With its extremes, from the cells that are driven as the goal says, and from no others."""
    cells = [
        _ok(CPU, 4_000, repeat=n, cpu_ms_per_turn=cpu) for n, cpu in enumerate((0.3, 0.1, 0.2))
    ]
    other = structs.replace(
        _ok(CPU, 4_000, cpu_ms_per_turn=9.0), drive=BY_KEY["mem-8000-latency-2"].drive
    )
    finding = _find(CPU, other, *cells, repeats=3)
    assert (finding.median, finding.values, finding.is_met) == (0.2, (0.1, 0.2, 0.3), False)


@pytest.mark.parametrize(("value", "is_met"), [(0.15, True), (0.151, False)])
def test_goal_is_met_at_its_bound(value: float, *, is_met: bool) -> None:
    """At most the bound is within it."""
    assert _find(CPU, _ok(CPU, 4_000, cpu_ms_per_turn=value)).is_met is is_met


@pytest.mark.parametrize(("value", "is_met"), [(19_999, True), (20_000, False)])
def test_goal_of_less_is_missed_at_its_bound(value: int, *, is_met: bool) -> None:
    """Below the bound is what is asked for."""
    goal = BY_KEY["mem-32000-fds"]
    assert _find(goal, _ok(goal, 32_000, peak_fds=value)).is_met is is_met


def test_goal_is_missed_when_one_repeat_dies() -> None:
    """Two good repeats do not hide the third, and keep their figures."""
    cells = [_ok(CPU, 4_000, repeat=n, cpu_ms_per_turn=0.1) for n in (1, 2)]
    finding = _find(CPU, _died(CPU, 4_000), *cells, repeats=3)
    assert (finding.median, finding.is_met, len(finding.failed)) == (0.1, False, 1)


def test_goal_without_its_cells_is_not_measured() -> None:
    """Neither met nor missed: an absent or invalid cell, and a RESULT that lacks the number."""
    for cells in (
        [],
        [_died(CPU, 4_000, Outcome.INVALID)],
        [_ok(CPU, 4_000, cpu_ms_per_turn=None)],
    ):
        finding = _find(CPU, *cells)
        assert (finding.median, finding.is_met) == (None, None)


def test_goal_without_a_bound_is_met_by_ending_ok() -> None:
    """Its figure is reported; only its death is a failure."""
    assert _find(STATE, _ok(STATE, 1_000, cpu_ms_per_turn=99.0)).is_met is True
    assert _find(STATE, _died(STATE, 1_000)).is_met is False


def test_threads_are_the_most_of_any_cell() -> None:
    """Also of one that died; the note shows whether C moves them."""
    cells = [_ok(THREADS, level, peak_threads=5) for level in THREADS.levels]
    finding = _find(THREADS, *cells, _died(THREADS, 64_000, peak_threads=9))
    assert finding.values == (9.0,)
    assert finding.notes == ("5 at C=2,000, 9 at C=64,000",)


def test_threads_that_nobody_saw_are_a_failure() -> None:
    """Cells that die before anything is heard of them do not meet the goal; those that end ok leave it open."""
    dead = _find(THREADS, *(_died(THREADS, level) for level in THREADS.levels))
    assert (dead.values, dead.is_met) == ((), False)
    mute = _find(THREADS, *(_ok(THREADS, level, peak_threads=None) for level in THREADS.levels))
    assert (mute.values, mute.is_met) == ((), None)


def test_memory_is_the_slope_over_the_levels() -> None:
    """What a process holds anyway drops out, and so does a level that is not the goal's."""
    cells = [_ok(MEMORY, n, peak_rss_mb=50 + n * 20 / 1024) for n in (*MEMORY.levels, 64_000)]
    (value,) = _find(MEMORY, *cells).values
    assert value == pytest.approx(20)


def test_memory_of_one_level_has_no_slope() -> None:
    """When all levels but one died, there is a failure and no figure."""
    first, *others = MEMORY.levels
    finding = _find(MEMORY, _ok(MEMORY, first), *(_died(MEMORY, level) for level in others))
    assert (finding.values, finding.is_met) == ((), False)


@pytest.mark.parametrize(
    ("held", "died", "value", "note"),
    [
        ((64_000,), 128_000, 64_000, "ends between C=64,000 and C=128,000: oom (because of oom)"),
        ((32_000,), 64_000, 32_000, "ends between C=32,000 and C=64,000: oom (because of oom)"),
        ((), 64_000, None, "fails at the first level, C=64,000: oom (because of oom)"),
        ((64_000, 128_000), None, 128_000, "no level failed"),
    ],
)
def test_capacity_is_the_highest_level_below_the_first_that_failed(
    held: tuple[int, ...], died: int | None, value: int | None, note: str
) -> None:
    """A bracket with its cause; cells of other goals that are driven the same way count."""
    cells = [_ok(CAPACITY, level) for level in held]
    cells += [_died(CAPACITY, died)] if died else []
    finding = _find(CAPACITY, *cells)
    assert (finding.values, finding.notes) == ((value,) if value else (), (note,))
    assert finding.is_met is ((value or 0) >= 64_000)


def test_capacity_waits_for_its_ladder() -> None:
    """Lower levels alone say nothing of where it ends."""
    assert _find(CAPACITY, _ok(CAPACITY, 32_000)).is_met is None


def _ladder(until: Outcome, at: int) -> list[tuple[int, int]]:
    """Run the ladder's plan to its end, its cells ending ok below a level; return (level, attempt)."""
    cells: list[Cell] = []
    while (following := next_run([CAPACITY], 1, cells)) is not None:
        slot, drive = following
        assert drive == CAPACITY.drive
        outcome = Outcome.OK if slot.level < at else until
        cell = make_cell(slot.side, slot.level, outcome, attempt=slot.attempt)
        cells.append(_driven(CAPACITY, cell))
    return [(cell.slot.level, cell.slot.attempt) for cell in cells]


def test_ladder_doubles_until_a_level_fails() -> None:
    """It stops at the first failure, after a second try of an invalid cell, and in any case somewhere."""
    assert _ladder(Outcome.OOM, 128_000) == [(64_000, 0), (128_000, 0)]
    assert _ladder(Outcome.INVALID, 64_000) == [(64_000, 0), (64_000, 1)]
    assert _ladder(Outcome.OK, 64_000)[-1] == (1_024_000, 0)


def test_choose_goals_filters_by_the_figure() -> None:
    """In whichever case it is typed."""
    assert [goal.key for goal in choose_goals("HAND")] == [
        "hand-8000-latency",
        "hand-32000-latency",
    ]
    assert choose_goals("") == GOALS


def test_find_goals_refuses_a_goal_that_it_does_not_have() -> None:
    """A stored run of another version is not shown with a row less."""
    run = structs.replace(_run(CPU), goals=("mem-4000-cpu", "flying"))
    with pytest.raises(UsageError, match="a goal that this version does not have: flying"):
        find_goals(run, [], complete=True)


def test_find_goals_passes_on_what_the_box_doubts() -> None:
    """What bears on the numbers stands with them."""
    run = _run(CPU)
    doubted = structs.replace(
        run, box=structs.replace(run.box, warnings=("swap is not accounted",))
    )
    assert find_goals(doubted, [], complete=True).warnings == ("swap is not accounted",)


def test_drives_of_the_goals_are_each_there_once() -> None:
    """A build is described once for each way in which it is driven."""
    assert drives_of([CPU, STATE, THREADS]) == (CPU.drive, STATE.drive)
