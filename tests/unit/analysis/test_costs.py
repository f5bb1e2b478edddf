"""Costs from counts at two levels."""

from collections.abc import Mapping

import pytest

from harness.analysis.costs.count import CountedRun, CounterName
from harness.analysis.costs.slopes import Pass, find_costs, has_changed
from harness.model.costs import ExactCost
from harness.model.nouns import Side


def _pass(low: Mapping[str, int], high: Mapping[str, int]) -> Pass:
    return Pass(
        CountedRun(sessions=10, turns=60, amounts=low, subject="s"),
        CountedRun(sessions=20, turns=120, amounts=high, subject="s"),
    )


def _instructions(*highs: int) -> list[Pass]:
    return [_pass({"instructions": 1000}, {"instructions": high}) for high in highs]


def test_instructions_of_the_start_cancel_out() -> None:
    """Equal amounts at both levels belong to no turn."""
    (cost,) = find_costs(
        CounterName.CALLGRIND,
        {Side.BASE: _instructions(7000, 7000), Side.BRANCH: _instructions(13000, 13000)},
    )
    assert cost == ExactCost(
        name="instructions/turn", base=100.0, branch=200.0, spread=0.0, reproducible=True
    )
    assert cost.is_gated
    assert has_changed(cost)


def test_unreproducible_instructions_are_not_gated() -> None:
    """The limit is 1 part in 10,000 on the worse side."""
    (cost,) = find_costs(
        CounterName.CALLGRIND,
        {Side.BASE: _instructions(601000, 601000), Side.BRANCH: _instructions(601000, 601120)},
    )
    assert cost.spread == pytest.approx(2e-4, rel=1e-3)
    assert not cost.reproducible
    assert not cost.is_gated


def test_cost_of_an_uncounted_side_is_none() -> None:
    """The other side is shown, and nothing is gated."""
    (cost,) = find_costs(
        CounterName.CALLGRIND, {Side.BASE: [], Side.BRANCH: _instructions(7000, 7000)}
    )
    assert (cost.base, cost.branch, cost.spread) == (None, 100.0, 0.0)
    assert not cost.is_gated
    assert not has_changed(cost)


def test_cost_of_one_pass_has_no_spread() -> None:
    """One pass does not show whether a count is reproducible."""
    (cost,) = find_costs(CounterName.CALLGRIND, {Side.BRANCH: _instructions(7000)})
    assert (cost.spread, cost.reproducible) == (None, False)


def test_costs_of_no_side_are_none() -> None:
    """Without passes there is no cost."""
    assert find_costs(CounterName.STRACE, {Side.BASE: [], Side.BRANCH: []}) == []


def test_memory_is_per_session() -> None:
    """Bytes and blocks are two costs."""
    passes = {
        side: [
            _pass(
                {"traced-bytes": 500, "allocated-blocks": 7},
                {"traced-bytes": 500 + size, "allocated-blocks": 17},
            )
        ]
        * 2
        for side, size in ((Side.BASE, 1000), (Side.BRANCH, 1640))
    }
    costs = find_costs(CounterName.MEMORY, passes)
    assert [(cost.name, cost.base, cost.branch) for cost in costs] == [
        ("traced-bytes/session", 100.0, 164.0),
        ("allocated-blocks/session", 1.0, 1.0),
    ]


def test_system_calls_are_summed_with_their_names() -> None:
    """Calls of the start are left out; calls of only one side are included."""
    base = _pass({"write": 60, "execve": 1}, {"write": 120, "execve": 1})
    branch = _pass({"write": 60, "execve": 1}, {"write": 120, "execve": 1, "stat": 60})
    (cost,) = find_costs(
        CounterName.STRACE, {Side.BASE: [base, base], Side.BRANCH: [branch, branch]}
    )
    assert (cost.name, cost.base, cost.branch, cost.spread) == ("system-calls/turn", 1.0, 2.0, 0.0)
    assert cost.detail == {"stat": (0.0, 1.0), "write": (1.0, 1.0)}
    assert cost.is_gated


def test_system_calls_by_chance_or_for_memory_are_not_gated() -> None:
    """They form a cost of their own, beside the reproducible calls."""
    one = _pass({"write": 60, "futex": 1, "brk": 1}, {"write": 120, "futex": 61, "brk": 4})
    two = _pass({"write": 60, "futex": 1, "brk": 1}, {"write": 120, "futex": 62, "brk": 4})
    exact, others = find_costs(
        CounterName.STRACE, {Side.BASE: [one, two], Side.BRANCH: [one, one]}
    )
    assert (exact.name, exact.base, exact.branch) == ("system-calls/turn", 1.0, 1.0)
    assert exact.is_gated
    assert others.name == "other-calls/turn"
    assert others.detail["brk"] == (0.05, 0.05)
    assert not others.is_gated
    assert others.advisory == (
        "an allocator asks for memory in steps, so a few bytes may cost one call or none; "
        "not exactly reproducible: futex"
    )


def test_system_calls_of_one_side_have_no_names() -> None:
    """Names are shown only for two sides."""
    one = _pass({"write": 60, "brk": 0}, {"write": 120, "brk": 0})
    exact, others = find_costs(CounterName.STRACE, {Side.BASE: [], Side.BRANCH: [one, one]})
    assert (exact.base, exact.branch, exact.detail) == (None, 1.0, {})
    assert (others.branch, others.spread) == (0.0, 0.0)
