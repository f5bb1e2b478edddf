"""The pairs that run under a budget of time."""

import pytest

from harness.model.cells import Slot
from harness.model.nouns import Phase, Side
from harness.model.plan import Plan
from harness.plan.budget import used_s
from tests.builders.model import make_cell
from tests.builders.planned import BOTH, Rule, run_plan, show

LEVELS = (500, 1000, 2000, 4000)


def _noisy(slot: Slot, number: int) -> float:
    """Return CPU per turn with noise of up to 12 %, different on both sides."""
    return 2 + 0.06 * ((7 * number + 3 * (slot.side is Side.BASE)) % 5)


RULE = Rule(cpu_ms_per_turn=_noisy, wall_s=lambda slot: slot.level / 500)


def _plan(budget_s: float | None, *, pairs: int = 0) -> Plan:
    return Plan(levels=LEVELS, blocks=0, sides=BOTH, pairs=pairs, budget_s=budget_s)


def _decision(plan: Plan, rule: Rule = RULE) -> str:
    cells = [cell for cell in run_plan(plan, rule) if cell.slot.phase is Phase.DECISION]
    return show(cells).removeprefix("decision ")


def test_used_time_includes_the_containers() -> None:
    """A container adds a second to create, start and stop."""
    assert used_s([make_cell(wall_s=4.0), make_cell(wall_s=2.5)]) == 8.5


@pytest.mark.parametrize(
    ("budget_s", "pairs", "expected"),
    [
        pytest.param(10.0, 8, "", id="the ladder is never cut"),
        pytest.param(100.0, 8, "2000:BA 4000:AB", id="whole rounds only"),
        pytest.param(125.0, 8, "2000:BA 4000:AB 2000:BAAB 4000:ABBA", id="one more round"),
        pytest.param(70.0, 0, "2000:BA 4000:AB", id="without pairs in the plan"),
        pytest.param(
            110.0,
            0,
            "2000:BA 4000:AB 2000:BAABABBA",
            id="the cheaper level, while it informs more per second",
        ),
    ],
)
def test_budget_runs_more_blocks(budget_s: float, pairs: int, expected: str) -> None:
    """The pairs of the plan come first; more blocks run where they inform most."""
    assert _decision(_plan(budget_s, pairs=pairs)) == expected


def test_budget_is_used_and_not_exceeded() -> None:
    """Less than a block of the cheaper level remains."""
    used = used_s(run_plan(_plan(400.0, pairs=4), RULE))
    assert 400 - 20 < used <= 400


def test_budget_is_not_used_without_a_gain() -> None:
    """More pairs do not improve pairs without spread."""
    assert _decision(_plan(1e6), Rule()) == "2000:BA 4000:AB"


def test_budget_is_not_used_for_a_missing_metric() -> None:
    """More pairs do not help a metric that no cell reports."""
    assert _decision(_plan(1e6), Rule(latency_infl=lambda _: 0.0)) == "2000:BA 4000:AB"
