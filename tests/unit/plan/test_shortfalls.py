"""Warnings about what a budget of time did not pay for."""

from harness.model.gate import GateInfo, Margin
from harness.model.nouns import Side
from harness.plan.shortfalls import find_shortfalls
from tests.builders.model import make_block, make_run, ok_cell

SPENT = "the budget of 600 s"


def test_shortfalls_name_missing_pairs_and_unresolved_metrics() -> None:
    """A level may have too few pairs, or a metric may be unresolved."""
    base = [{"cpu_ms_per_turn": value} for value in (1.0, 1.2)]
    cells = make_block(500, base, [{"cpu_ms_per_turn": 1.0}] * 2)
    run = make_run(levels=[500], pairs=8, budget_s=600.0)
    few, cpu = [warning.text for warning in find_shortfalls(run, cells, complete=True)]
    assert few == f"{SPENT} was too short for 8 pairs at C=500: there are 2"
    assert cpu.startswith(f"{SPENT} left cpu-ms/turn at C=500 unresolved: 2 pairs could show ")
    assert cpu.endswith(" % or more, and 10 % was wanted")


def test_shortfalls_of_one_pair_name_the_wanted_change() -> None:
    """A relative margin is the wanted change; an absolute one leaves it at 10 %."""
    margins = {
        "rss-kb/sess": Margin(amount=0.03, is_relative=True),
        "latency-infl": Margin(amount=0.5, is_relative=False),
    }
    cells = [ok_cell(side, 500, rss_kb_per_session=9.0) for side in Side]
    run = make_run(levels=[500], budget_s=600.0, gate=GateInfo(margins=margins))
    shown = "unresolved: 1 pair could show nothing yet, and"
    assert [warning.text for warning in find_shortfalls(run, cells, complete=True)] == [
        f"{SPENT} left cpu-ms/turn at C=500 {shown} 10 % was wanted",
        f"{SPENT} left latency-infl at C=500 {shown} 10 % was wanted",
        f"{SPENT} left rss-kb/sess at C=500 {shown} 3 % was wanted",
    ]


def test_shortfalls_of_a_run_that_is_not_complete_are_none() -> None:
    """An interrupted run has budget left."""
    run = make_run(levels=[500], pairs=8, budget_s=600.0)
    assert find_shortfalls(run, [], complete=False) == []
