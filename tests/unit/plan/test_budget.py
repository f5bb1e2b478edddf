"""What a budget buys, and what it says it did not."""

import pytest

from harness.model.cells import Slot
from harness.model.nouns import Phase, Side
from harness.model.plan import Plan
from harness.plan.budget import used_s
from tests.builders.model import make_cell
from tests.builders.planned import BOTH, Rule, run_plan, show

LEVELS = (500, 1000, 2000, 4000)


def _noisy(slot: Slot, number: int) -> float:
    """Return CPU per turn that differs from cell to cell by up to 12 %, and not alike on both sides."""
    return 2 + 0.06 * ((7 * number + 3 * (slot.side is Side.BASE)) % 5)


RULE = Rule(cpu_ms_per_turn=_noisy, wall_s=lambda slot: slot.level / 500)


def _plan(budget_s: float | None, *, pairs: int = 0) -> Plan:
    return Plan(levels=LEVELS, blocks=0, sides=BOTH, pairs=pairs, budget_s=budget_s)


def _decision(plan: Plan, rule: Rule = RULE) -> str:
    cells = [cell for cell in run_plan(plan, rule) if cell.slot.phase is Phase.DECISION]
    return show(cells).removeprefix("decision ")


def test_used_time_counts_the_containers_as_well() -> None:
    """A second a cell goes into making, starting and stopping it."""
    assert used_s([make_cell(wall_s=4.0), make_cell(wall_s=2.5)]) == 8.5


@pytest.mark.parametrize(
    ("budget_s", "pairs", "expected"),
    [
        pytest.param(10.0, 8, "", id="the ladder is never cut"),
        pytest.param(100.0, 8, "2000:BA 4000:AB", id="whole rounds only"),
        pytest.param(125.0, 8, "2000:BA 4000:AB 2000:BAAB 4000:ABBA", id="a round more"),
        pytest.param(70.0, 0, "2000:BA 4000:AB", id="without pairs of the plan's own"),
        pytest.param(
            110.0,
            0,
            "2000:BA 4000:AB 2000:BAABABBA",
            id="the cheaper level, while it shows more a second",
        ),
    ],
)
def test_budget_buys_blocks(budget_s: float, pairs: int, expected: str) -> None:
    """The plan's own pairs come first, both levels alike; the rest goes where a block shows most a second."""
    assert _decision(_plan(budget_s, pairs=pairs)) == expected


def test_budget_is_spent_and_kept() -> None:
    """It ends within a block of the cheaper level."""
    used = used_s(run_plan(_plan(400.0, pairs=4), RULE))
    assert 400 - 20 < used <= 400


def test_budget_is_not_spent_on_what_shows_nothing_more() -> None:
    """Pairs without any spread are as good as they get."""
    assert _decision(_plan(1e6), Rule()) == "2000:BA 4000:AB"


def test_budget_ends_when_a_metric_is_never_there() -> None:
    """What no cell reports cannot be seen better by more of them."""
    assert _decision(_plan(1e6), Rule(latency_infl=lambda _: 0.0)) == "2000:BA 4000:AB"
