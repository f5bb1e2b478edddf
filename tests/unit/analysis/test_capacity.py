"""Capacity: which levels a side carries at an accepted latency."""

import pytest

from harness.analysis.levels import Capacity, find_capacity, ratio_range
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from tests.builders.model import cell_at, make_cell, ok_cell


def _climb(*latencies: float | None) -> list[Cell]:
    """Give levels 500, 1000, … one ok cell of each latency inflation."""
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
        pytest.param(_climb(3.0), Capacity(within=None, beyond=500), id="beyond it at once"),
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
    """The bracket ends at the first level that fails, or is later than accepted."""
    assert find_capacity(cells, Side.BASE, 2.0) == expected


def test_find_capacity_takes_latency_from_the_cells_that_ended_ok() -> None:
    """A level that passes by two in three has a failed cell, which says nothing of latency."""
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
def test_ratio_range_is_what_the_brackets_allow(
    base: tuple[int | None, int | None],
    branch: tuple[int | None, int | None],
    expected: tuple[float | None, float | None],
) -> None:
    """An end is open where the level that it depends on was not found."""
    ends = (
        Capacity(within=base[0], beyond=base[1]),
        Capacity(within=branch[0], beyond=branch[1]),
    )
    assert ratio_range(*ends) == expected
