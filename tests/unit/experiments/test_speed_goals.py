"""The goals: the reading of each figure, and the bounds."""

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


def test_goals_have_unique_keys() -> None:
    """Stored results refer to the keys."""
    assert len(BY_KEY) == len(GOALS)
    assert all(goal.why for goal in GOALS)


def test_goals_are_for_the_box_of_the_defaults() -> None:
    """The bounds apply to the default box only."""
    assert (REFERENCE_CAPS.cpus, REFERENCE_CAPS.memory_bytes >> 30) == (2, 2)


def test_figure_at_a_level_is_the_median_of_the_repeats() -> None:
    """Only cells with the drive of the goal count."""
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
    """A value equal to the bound meets “at most”."""
    assert _find(CPU, _ok(CPU, 4_000, cpu_ms_per_turn=value)).is_met is is_met


@pytest.mark.parametrize(("value", "is_met"), [(19_999, True), (20_000, False)])
def test_goal_of_less_is_missed_at_its_bound(value: int, *, is_met: bool) -> None:
    """A value equal to the bound misses “less than”."""
    goal = BY_KEY["mem-32000-fds"]
    assert _find(goal, _ok(goal, 32_000, peak_fds=value)).is_met is is_met


def test_goal_is_missed_when_one_repeat_dies() -> None:
    """Two good repeats keep their figures, but do not meet the goal."""
    cells = [_ok(CPU, 4_000, repeat=n, cpu_ms_per_turn=0.1) for n in (1, 2)]
    finding = _find(CPU, _died(CPU, 4_000), *cells, repeats=3)
    assert (finding.median, finding.is_met, len(finding.failed)) == (0.1, False, 1)


def test_goal_without_its_cells_is_not_measured() -> None:
    """The goal is open if a cell or its number is missing, or if it is invalid."""
    for cells in (
        [],
        [_died(CPU, 4_000, Outcome.INVALID)],
        [_ok(CPU, 4_000, cpu_ms_per_turn=None)],
    ):
        finding = _find(CPU, *cells)
        assert (finding.median, finding.is_met) == (None, None)


def test_goal_without_a_bound_is_met_by_ending_ok() -> None:
    """Its figure is reported; only a failed cell misses the goal."""
    assert _find(STATE, _ok(STATE, 1_000, cpu_ms_per_turn=99.0)).is_met is True
    assert _find(STATE, _died(STATE, 1_000)).is_met is False


def test_threads_are_the_most_of_any_cell() -> None:
    """A failed cell counts too; the note shows lowest and highest C."""
    cells = [_ok(THREADS, level, peak_threads=5) for level in THREADS.levels]
    finding = _find(THREADS, *cells, _died(THREADS, 64_000, peak_threads=9))
    assert finding.values == (9.0,)
    assert finding.notes == ("5 at C=2,000, 9 at C=64,000",)


def test_threads_without_a_report_are_not_measured() -> None:
    """Failed cells without a report miss the goal; ok cells leave it open."""
    dead = _find(THREADS, *(_died(THREADS, level) for level in THREADS.levels))
    assert (dead.values, dead.is_met) == ((), False)
    mute = _find(THREADS, *(_ok(THREADS, level, peak_threads=None) for level in THREADS.levels))
    assert (mute.values, mute.is_met) == ((), None)


def test_memory_is_the_slope_over_the_levels() -> None:
    """A constant part does not count, nor do levels of other goals."""
    cells = [_ok(MEMORY, n, peak_rss_mb=50 + n * 20 / 1024) for n in (*MEMORY.levels, 64_000)]
    (value,) = _find(MEMORY, *cells).values
    assert value == pytest.approx(20)


def test_memory_of_one_level_has_no_slope() -> None:
    """If all levels but one fail, there is no figure."""
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
    """The note holds the cause; cells of other goals with the same drive count."""
    cells = [_ok(CAPACITY, level) for level in held]
    cells += [_died(CAPACITY, died)] if died else []
    finding = _find(CAPACITY, *cells)
    assert (finding.values, finding.notes) == ((value,) if value else (), (note,))
    assert finding.is_met is ((value or 0) >= 64_000)


def test_capacity_waits_for_its_ladder() -> None:
    """Lower levels alone leave the goal open."""
    assert _find(CAPACITY, _ok(CAPACITY, 32_000)).is_met is None


def _ladder(until: Outcome, at: int) -> list[tuple[int, int]]:
    """Run the ladder with ok cells below a level; return levels and attempts."""
    cells: list[Cell] = []
    while (following := next_run([CAPACITY], 1, cells)) is not None:
        slot, drive = following
        assert drive == CAPACITY.drive
        outcome = Outcome.OK if slot.level < at else until
        cell = make_cell(slot.side, slot.level, outcome, attempt=slot.attempt)
        cells.append(_driven(CAPACITY, cell))
    return [(cell.slot.level, cell.slot.attempt) for cell in cells]


def test_ladder_doubles_until_a_level_fails() -> None:
    """It stops at the first failure, after one retry, and at a highest level."""
    assert _ladder(Outcome.OOM, 128_000) == [(64_000, 0), (128_000, 0)]
    assert _ladder(Outcome.INVALID, 64_000) == [(64_000, 0), (64_000, 1)]
    assert _ladder(Outcome.OK, 64_000)[-1] == (1_024_000, 0)


def test_choose_goals_filters_by_the_figure() -> None:
    """Case is ignored."""
    assert [goal.key for goal in choose_goals("HAND")] == [
        "hand-8000-latency",
        "hand-32000-latency",
    ]
    assert choose_goals("") == GOALS


def test_find_goals_refuses_unknown_goals() -> None:
    """No row of a stored run is dropped."""
    run = structs.replace(_run(CPU), goals=("mem-4000-cpu", "flying"))
    with pytest.raises(UsageError, match="goals that this version does not know: flying"):
        find_goals(run, [], complete=True)


def test_find_goals_keeps_the_warnings_of_the_box() -> None:
    """The warnings are shown below the figures."""
    run = _run(CPU)
    doubted = structs.replace(
        run, box=structs.replace(run.box, warnings=("swap is not accounted",))
    )
    assert find_goals(doubted, [], complete=True).warnings == ("swap is not accounted",)


def test_drives_of_the_goals_are_each_there_once() -> None:
    """A build is described once per drive."""
    assert drives_of([CPU, STATE, THREADS]) == (CPU.drive, STATE.drive)
