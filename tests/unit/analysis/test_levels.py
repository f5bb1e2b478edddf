"""Levels: passing, knee, capacity and pairs."""

import pytest

from harness.analysis.levels import (
    Capacity,
    find_capacity,
    find_knee,
    measured_cells,
    paired_values,
    pairs_at,
    passes,
    ratio_range,
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


def test_find_knee_fails_a_level_with_one_failed_cell() -> None:
    """On the ladder all cells must pass; the first failure is reported."""
    cells = [
        make_cell(Side.BASE, 500),
        make_cell(Side.BASE, 500, Outcome.CRASH, pair=1),
        make_cell(Side.BASE, 500, Outcome.OOM, block=1),
    ]
    knee = find_knee(cells, Side.BASE)
    assert (knee.last_pass, knee.first_fail, knee.outcome) == (None, 500, Outcome.CRASH)


def test_find_knee_ignores_invalid_cells() -> None:
    """An invalid cell neither fails a level nor passes it."""
    cells = [make_cell(Side.BASE, 500), make_cell(Side.BASE, 1000, Outcome.INVALID)]
    assert find_knee(cells, Side.BASE) == Knee(last_pass=500, first_fail=None)


def test_find_knee_ignores_the_other_side() -> None:
    """Each side has its own knee."""
    cells = [make_cell(Side.BASE, 500, Outcome.OOM), make_cell(Side.BRANCH, 500)]
    assert find_knee(cells, Side.BRANCH) == Knee(last_pass=500, first_fail=None)


def _in(phase: Phase, outcome: str = "ok", level: int = 500, side: Side = Side.BASE) -> Cell:
    return cell_at(Slot(side=side, level=level, block=0, pair=None, phase=phase), Outcome(outcome))


@pytest.mark.parametrize("phase", [Phase.CHECK, Phase.WARM_UP])
def test_measured_cells_leave_out_check_and_warm_up(phase: Phase) -> None:
    """Their outcomes say nothing about a level."""
    rung = make_cell(Side.BASE, 1)
    cells = [_in(phase, "oom", level=1), rung]
    assert measured_cells(cells, Side.BASE, 1) == [rung]
    assert find_knee(cells, Side.BASE) == Knee(last_pass=1, first_fail=None)


def test_tried_levels_are_those_with_measured_cells() -> None:
    """They include refined levels, and exclude levels with only invalid cells."""
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
        pytest.param(["ok", "ok", "ok", "oom"], [], False, id="one failed"),
        pytest.param(["ok", "oom"], ["ok"], True, id="two of three pass"),
        pytest.param(["ok", "oom"], ["crash"], False, id="two of three fail"),
        pytest.param(["oom"], ["ok", "ok"], True, id="a single failure is outvoted"),
        pytest.param(["ok"], ["oom"], False, id="one against one"),
        pytest.param(["ok", "ok", "oom", "oom"], ["ok"], False, id="three of five"),
    ],
)
@pytest.mark.parametrize("phase", [Phase.REFINE, Phase.DECISION])
def test_passes_needs_all_cells_or_two_thirds_of_repeats(
    ladder: list[str],
    repeats: list[str],
    expected: bool,
    phase: Phase,
) -> None:
    """Repeats of the refinement or the decision can outvote a failure."""
    cells = [make_cell(Side.BASE, 500, Outcome(outcome)) for outcome in ladder]
    assert passes([*cells, *(_in(phase, outcome) for outcome in repeats)]) is expected


def test_find_knee_uses_refined_levels() -> None:
    """Refined levels narrow the bracket; the failure of its upper end is reported."""
    cells = [
        make_cell(Side.BASE, 500),
        make_cell(Side.BASE, 1000, Outcome.OOM),
        _in(Phase.REFINE, "threads", level=700),
        _in(Phase.REFINE, "threads", level=700),
        _in(Phase.REFINE, level=600),
    ]
    knee = find_knee(cells, Side.BASE)
    assert (knee.last_pass, knee.first_fail, knee.outcome) == (600, 700, Outcome.THREADS)


def test_pairs_at_includes_the_decision() -> None:
    """Pairs of the ladder and the decision have different places."""
    ladder = [make_cell(side, 500) for side in Side]
    decision = [
        cell_at(Slot(side=side, level=500, block=0, pair=1, phase=Phase.DECISION)) for side in Side
    ]
    cells = [*ladder, *decision]
    assert pairs_at(cells, 500) == [(ladder[0], ladder[1]), (decision[0], decision[1])]


def test_paired_values_need_both_sides() -> None:
    """A value that is missing or zero on one side has no ratio."""
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
    """The base comes first in each pair, whichever side ran first."""
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


def test_pairs_at_needs_both_cells() -> None:
    """A pair with a failed, invalid or missing cell is left out."""
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


def test_pairs_at_uses_the_second_run_of_an_invalid_cell() -> None:
    """The second run replaces the first."""
    first = make_cell(Side.BASE, 500, Outcome.INVALID)
    again = make_cell(Side.BASE, 500, attempt=1)
    branch = make_cell(Side.BRANCH, 500)
    assert pairs_at([first, again, branch], 500) == [(again, branch)]


def _climb(*latencies: float | None) -> list[Cell]:
    """Make an ok cell of each latency inflation at levels 500, 1000 and so on."""
    return [
        ok_cell(Side.BASE, 500 << step, latency_infl=latency)
        for step, latency in enumerate(latencies)
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param([], Capacity(within=None, beyond=None), id="nothing ran"),
        pytest.param(_climb(1.1, 2.0), Capacity(within=1000, beyond=None), id="at the objective"),
        pytest.param(
            _climb(1.1, 2.1, 1.5), Capacity(within=500, beyond=1000), id="beyond it once"
        ),
        pytest.param(
            _climb(3.0), Capacity(within=None, beyond=500), id="beyond it at the first level"
        ),
        pytest.param(_climb(None, 0.0), Capacity(within=1000, beyond=None), id="latency unknown"),
        pytest.param(
            [*_climb(1.1), make_cell(Side.BASE, 1000, Outcome.OOM)],
            Capacity(within=500, beyond=1000),
            id="a level that fails",
        ),
        pytest.param(
            [*_climb(1.0), ok_cell(Side.BASE, 500, latency_infl=3.9, pair=1)],
            Capacity(within=500, beyond=None),
            id="the geometric mean of its cells",
        ),
        pytest.param(
            [*_climb(9.0), make_cell(Side.BRANCH, 500)],
            Capacity(within=None, beyond=500),
            id="of one side",
        ),
    ],
)
def test_find_capacity_brackets_the_objective(cells: list[Cell], expected: Capacity) -> None:
    """The bracket ends at the first level that fails, or exceeds the objective."""
    assert find_capacity(cells, Side.BASE, 2.0) == expected


def test_find_capacity_ignores_the_latency_of_failed_cells() -> None:
    """A level may pass with two thirds of its cells."""
    refine = [
        cell_at(Slot(side=Side.BASE, level=500, block=n, pair=None, phase=Phase.REFINE))
        for n in range(2)
    ]
    cells = [make_cell(Side.BASE, 500, Outcome.OOM), *refine]
    assert find_capacity(cells, Side.BASE, 2.0) == Capacity(within=500, beyond=None)


@pytest.mark.parametrize(
    ("base", "branch", "expected"),
    [
        ((1000, 2000), (1000, 2000), (0.5, 2.0)),
        ((1000, 2000), (4000, 8000), (2.0, 8.0)),
        ((4000, 8000), (1000, 2000), (0.125, 0.5)),
        ((1000, 2000), (4000, None), (2.0, None)),
        ((1000, None), (1000, 2000), (None, 2.0)),
        ((None, 500), (500, 1000), (1.0, None)),
        ((500, 1000), (None, 500), (None, 1.0)),
    ],
)
def test_ratio_range_follows_from_the_brackets(
    base: tuple[int | None, int | None],
    branch: tuple[int | None, int | None],
    expected: tuple[float | None, float | None],
) -> None:
    """An end is None where the level that it depends on is unknown."""
    ends = (
        Capacity(within=base[0], beyond=base[1]),
        Capacity(within=branch[0], beyond=branch[1]),
    )
    assert ratio_range(*ends) == expected
