"""Warnings about what a budget of time did not pay for."""

from harness.model.cells import Cell
from harness.model.gate import GateInfo, Margin
from harness.model.nouns import Side
from harness.model.runs import RunInfo
from harness.plan.shortfalls import find_shortfalls
from tests.builders.model import make_block, make_run, ok_cell

BUDGET = "the budget of 600 s"


def _texts(run: RunInfo, cells: list[Cell], *, complete: bool = True) -> list[str]:
    return [warning.text for warning in find_shortfalls(run, cells, complete=complete)]


def test_shortfalls_name_missing_pairs_and_noisy_metrics() -> None:
    """A metric whose pairs detect the wanted change is not named."""
    base, branch = (
        [{"cpu_ms_per_turn": cpu, "rss_kb_per_session": 9.0} for cpu in side]
        for side in ((2.0, 2.0), (2.0, 3.0))
    )
    run = make_run(levels=[500], pairs=8, budget_s=600.0)
    assert _texts(run, make_block(500, base, branch)) == [
        f"{BUDGET} was too short for 8 pairs at C=500: 2 ran",
        (
            f"{BUDGET} left cpu-ms/turn at C=500 unresolved: "
            "2 pairs can detect changes of 426.4 % or more, and 10 % was wanted"
        ),
    ]


def test_shortfalls_after_one_pair_are_all_metrics() -> None:
    """One pair has no spread; the wanted change is a relative margin, or 10 %."""
    margins = {
        "rss-kb/sess": Margin(amount=0.03, is_relative=True),
        "latency-infl": Margin(amount=0.5, is_relative=False),
    }
    cells = [ok_cell(side, 500, rss_kb_per_session=9.0) for side in Side]
    run = make_run(levels=[500], budget_s=600.0, gate=GateInfo(margins=margins))
    message = "unresolved: 1 pair can detect no change yet, and"
    assert _texts(run, cells) == [
        f"{BUDGET} left cpu-ms/turn at C=500 {message} 10 % was wanted",
        f"{BUDGET} left latency-infl at C=500 {message} 10 % was wanted",
        f"{BUDGET} left rss-kb/sess at C=500 {message} 3 % was wanted",
    ]


def test_shortfalls_are_unknown_before_the_end_of_the_run() -> None:
    """An incomplete run, and a run without a budget, have none."""
    run = make_run(levels=[500], pairs=8, budget_s=600.0)
    assert _texts(run, [], complete=False) == []
    assert _texts(make_run(levels=[500], pairs=8), []) == []
