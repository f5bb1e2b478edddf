"""The ladder: how it is typed, and where a side broke on it."""

import pytest

from harness.analysis.levels import (
    find_knee,
    ladder_cells,
    paired_values,
    pairs_at,
    passes,
    tried_levels,
)
from harness.model.cells import Cell, Knee, Slot
from harness.model.metrics import ESTIMATED, METRICS
from harness.model.nouns import Outcome, Phase, Side
from tests.builders.model import cell_at, make_cell, ok_cell

LEVELS = (500, 1000, 2000)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param([], Knee(last_pass=None, first_fail=None), id="nothing ran"),
        pytest.param(["ok", "ok", "ok"], Knee(last_pass=2000, first_fail=None), id="no knee"),
        pytest.param(["ok", "ok"], Knee(last_pass=1000, first_fail=None), id="interrupted"),
        pytest.param(
            ["ok", "oom"],
            Knee(last_pass=500, first_fail=1000, outcome=Outcome.OOM, reason="because of oom"),
            id="breaks in the middle",
        ),
        pytest.param(
            ["threads"],
            Knee(
                last_pass=None,
                first_fail=500,
                outcome=Outcome.THREADS,
                reason="because of threads",
            ),
            id="breaks at once",
        ),
    ],
)
def test_find_knee_brackets_where_a_side_breaks(outcomes: list[str], expected: Knee) -> None:
    """The bracket is the last level that passed and the first that failed."""
    cells = [
        make_cell(Side.BASE, level, Outcome(outcome))
        for level, outcome in zip(LEVELS, outcomes, strict=False)
    ]
    assert find_knee(cells, Side.BASE) == expected


def test_find_knee_takes_one_failed_cell_for_a_failed_level() -> None:
    """A level passes only when all of its cells do; the first failure is the one that is told."""
    cells = [
        make_cell(Side.BASE, 500),
        make_cell(Side.BASE, 500, Outcome.CRASH, pair=1),
        make_cell(Side.BASE, 500, Outcome.OOM, block=1),
    ]
    knee = find_knee(cells, Side.BASE)
    assert (knee.last_pass, knee.first_fail, knee.outcome) == (None, 500, Outcome.CRASH)


def test_find_knee_passes_over_invalid_cells() -> None:
    """A cell that says nothing about the side makes no knee, and makes no level pass."""
    cells = [make_cell(Side.BASE, 500), make_cell(Side.BASE, 1000, Outcome.INVALID)]
    assert find_knee(cells, Side.BASE) == Knee(last_pass=500, first_fail=None)


def test_find_knee_looks_at_one_side_alone() -> None:
    """The other side's failure is not this side's."""
    cells = [make_cell(Side.BASE, 500, Outcome.OOM), make_cell(Side.BRANCH, 500)]
    assert find_knee(cells, Side.BRANCH) == Knee(last_pass=500, first_fail=None)


def _in(phase: Phase, outcome: str = "ok", level: int = 500, side: Side = Side.BASE) -> Cell:
    return cell_at(Slot(side=side, level=level, block=0, pair=None, phase=phase), Outcome(outcome))


@pytest.mark.parametrize("phase", [Phase.CHECK, Phase.WARM_UP])
def test_ladder_cells_leave_out_what_does_not_count(phase: Phase) -> None:
    """The check and the warm-up say nothing about a level, however they end."""
    rung = make_cell(Side.BASE, 1)
    cells = [_in(phase, "oom", level=1), rung]
    assert ladder_cells(cells, Side.BASE, 1) == [rung]
    assert find_knee(cells, Side.BASE) == Knee(last_pass=1, first_fail=None)


def test_tried_levels_are_those_of_all_phases_that_count() -> None:
    """A level between two rungs is one as well; one at which nothing is valid is none."""
    cells = [
        make_cell(Side.BASE, 1000),
        make_cell(Side.BRANCH, 2000),
        make_cell(Side.BASE, 4000, Outcome.INVALID),
        _in(Phase.REFINE, "oom", level=700),
        _in(Phase.WARM_UP, level=10),
    ]
    assert tried_levels(cells, Side.BASE) == (700, 1000)
    assert tried_levels(cells) == (700, 1000, 2000)


@pytest.mark.parametrize(
    ("ladder", "repeats", "expected"),
    [
        pytest.param([], [], False, id="nothing ran"),
        pytest.param(["ok"], [], True, id="one"),
        pytest.param(["ok", "ok", "ok", "oom"], [], False, id="one failed is a failed level"),
        pytest.param(["ok", "oom"], ["ok"], True, id="two of three pass"),
        pytest.param(["ok", "oom"], ["crash"], False, id="two of three fail"),
        pytest.param(["oom"], ["ok", "ok"], True, id="a single failure is outvoted"),
        pytest.param(["ok"], ["oom"], False, id="one against one"),
        pytest.param(["ok", "ok", "oom", "oom"], ["ok"], False, id="three of five are too few"),
    ],
)
@pytest.mark.parametrize("phase", [Phase.REFINE, Phase.DECISION])
def test_passes_takes_all_cells_or_two_in_three_where_they_were_repeated(
    ladder: list[str],
    repeats: list[str],
    expected: bool,
    phase: Phase,
) -> None:
    """What the ladder says stands, unless the level was run again on purpose."""
    cells = [make_cell(Side.BASE, 500, Outcome(outcome)) for outcome in ladder]
    assert passes([*cells, *(_in(phase, outcome) for outcome in repeats)]) is expected


def test_find_knee_lies_between_two_rungs_where_it_was_refined() -> None:
    """The refined levels narrow the bracket; the failure that is told is the one of its upper end."""
    cells = [
        make_cell(Side.BASE, 500),
        make_cell(Side.BASE, 1000, Outcome.OOM),
        _in(Phase.REFINE, "threads", level=700),
        _in(Phase.REFINE, "threads", level=700),
        _in(Phase.REFINE, level=600),
    ]
    knee = find_knee(cells, Side.BASE)
    assert (knee.last_pass, knee.first_fail, knee.outcome) == (600, 700, Outcome.THREADS)


def test_pairs_at_takes_those_of_the_decision_too() -> None:
    """Pairs of ladder and decision count on from each other, so that no two have one place."""
    ladder = [make_cell(side, 500) for side in Side]
    decision = [
        cell_at(Slot(side=side, level=500, block=0, pair=1, phase=Phase.DECISION)) for side in Side
    ]
    cells = [*ladder, *decision]
    assert pairs_at(cells, 500) == [(ladder[0], ladder[1]), (decision[0], decision[1])]


def test_paired_values_leave_out_what_one_side_does_not_say() -> None:
    """A metric that is missing or zero on one side has no ratio."""
    cells = [
        ok_cell(Side.BASE, 500, cpu_ms_per_turn=1.0, pair=0),
        ok_cell(Side.BRANCH, 500, cpu_ms_per_turn=2.0, pair=0),
        ok_cell(Side.BASE, 500, cpu_ms_per_turn=None, pair=1),
        ok_cell(Side.BRANCH, 500, cpu_ms_per_turn=2.0, pair=1),
    ]
    cpu = next(metric for metric in METRICS if metric.name == "cpu-ms/turn")
    assert paired_values(pairs_at(cells, 500), cpu) == [(1.0, 2.0)]
    lonely = [(make_cell(Side.BASE, 500, result=None), make_cell(Side.BRANCH, 500))]
    assert paired_values(lonely, cpu) == []
    assert cpu in ESTIMATED


def test_pairs_at_joins_neighbours_in_the_order_of_their_blocks() -> None:
    """Base comes first in each pair, whichever of the two ran first."""
    cells = [
        make_cell(side, 500, block=block, pair=pair)
        for block, pair, side in (
            (1, 0, Side.BRANCH),
            (1, 0, Side.BASE),
            (0, 1, Side.BASE),
            (0, 1, Side.BRANCH),
        )
    ]
    assert pairs_at(cells, 500) == [(cells[2], cells[3]), (cells[1], cells[0])]


def test_pairs_at_leaves_out_what_has_no_partner() -> None:
    """A cell whose partner failed, was invalid or never ran, and an unpaired one, make no pair."""
    cells = [
        make_cell(Side.BASE, 500, pair=0),
        make_cell(Side.BRANCH, 500, Outcome.OOM, pair=0),
        make_cell(Side.BASE, 500, pair=1),
        make_cell(Side.BRANCH, 500, Outcome.INVALID, pair=1),
        make_cell(Side.BASE, 500, block=1, pair=None),
        make_cell(Side.BRANCH, 500, block=1, pair=None),
        make_cell(Side.BRANCH, 1000, pair=0),
    ]
    assert pairs_at(cells, 500) == []


def test_pairs_at_takes_the_second_run_of_an_invalid_cell() -> None:
    """The second run stands in the place of the first."""
    first = make_cell(Side.BASE, 500, Outcome.INVALID)
    again = make_cell(Side.BASE, 500, attempt=1)
    branch = make_cell(Side.BRANCH, 500)
    assert pairs_at([first, again, branch], 500) == [(again, branch)]
