"""Injected regressions of known size."""

from dataclasses import replace

import pytest

from harness.analysis.controls import TRIAL_WORK, Control, make_controls
from harness.model.cells import Cell
from harness.model.errors import DisturbedError
from harness.model.nouns import Side
from tests.builders.model import make_cell, ok_cell


def _cells(level: int = 2000, **measured: object) -> list[Cell]:
    given = {"cpu_ms_per_turn": 2.0, "peak_rss_mb": 100.0, "base_rss_mb": 60.0} | measured
    return [ok_cell(Side.BRANCH, level, given)]


def test_controls_are_sized_to_the_runtime() -> None:
    """2,000 iterations cost 4 ms: 10 % of 2 ms are 100; 20 % of 40 MB are 4 KiB."""
    assert TRIAL_WORK == 2000
    controls = make_controls(_cells(), _cells(cpu_ms_per_turn=6.0))
    assert [replace(control, effect=round(control.effect, 6)) for control in controls] == [
        Control(
            name="+10 % CPU a turn",
            environment={"SCALE_INJECT_WORK": "100"},
            metric="cpu-ms/turn",
            effect=0.10,
        ),
        Control(name="+1 thread a session", environment={"SCALE_INJECT_THREADS": "1"}),
        Control(
            name="+20 % bytes a session",
            environment={"SCALE_INJECT_BYTES": "4194"},
            metric="rss-kb/sess",
            effect=0.079994,
        ),
        Control(name="1 session in 1,000 fails", environment={"SCALE_INJECT_FAILING": "1000"}),
    ]


def test_controls_at_a_low_level_fail_one_session() -> None:
    """One of 1,000 would be none of 200 sessions."""
    failing = make_controls(_cells(200), _cells(200, cpu_ms_per_turn=6.0))[-1]
    assert failing == Control(
        name="1 session in 200 fails", environment={"SCALE_INJECT_FAILING": "200"}
    )


def test_controls_use_the_mean_of_the_cells_with_figures() -> None:
    """Cells without a RESULT, or without the figure, are left out."""
    silent = [make_cell(Side.BRANCH, 2000, result=None), *_cells(cpu_ms_per_turn=None)]
    cells = [*_cells(cpu_ms_per_turn=1.0), *silent, *_cells(cpu_ms_per_turn=4.0)]
    assert (
        make_controls(cells, _cells(cpu_ms_per_turn=6.0))[0]
        == make_controls(_cells(), _cells(cpu_ms_per_turn=6.0))[0]
    )


@pytest.mark.parametrize(
    ("undisturbed", "trial"),
    [
        (_cells(), _cells(cpu_ms_per_turn=1.9)),
        (_cells(cpu_ms_per_turn=None), _cells()),
        (_cells(peak_rss_mb=None), _cells(cpu_ms_per_turn=6.0)),
    ],
)
def test_controls_that_cannot_be_sized_are_a_disturbed_host(
    undisturbed: list[Cell], trial: list[Cell]
) -> None:
    """Work without a measurable cost cannot be sized."""
    with pytest.raises(DisturbedError, match="the controls have no size"):
        make_controls(undisturbed, trial)
