"""The forecast of the remaining cells."""

import pytest
from msgspec import structs

from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.outlook import Outlook, look_ahead
from tests.builders.model import cell_at, make_cell
from tests.builders.planned import BOTH, Rule, run_plan

PLAN = Plan(levels=(500, 1000), blocks=1, sides=BOTH, pairs=4, warm_up=True)


def test_outlook_before_the_first_cell_has_no_time() -> None:
    """The time of a cell is still unknown."""
    assert look_ahead(PLAN, []) == Outlook(cells=len(run_plan(PLAN)), seconds=None)


@pytest.mark.parametrize("done", [1, 5, 12])
def test_outlook_while_nothing_fails_counts_down_to_the_last_cell(done: int) -> None:
    """The forecast equals the run, in cells and in time."""
    cells = run_plan(PLAN, Rule(wall_s=lambda _slot: 4.0, latency_infl=lambda _slot: 1.0))
    left = len(cells) - done
    assert look_ahead(PLAN, cells[:done]) == Outlook(cells=left, seconds=left * 5.0)
    assert look_ahead(PLAN, cells) == Outlook(cells=0, seconds=0.0)


def test_outlook_uses_the_time_of_the_nearest_level() -> None:
    """A new level is expected to last as long as the nearest; checks are ignored."""
    check = structs.replace(make_cell().slot, level=1, phase=Phase.CHECK)
    cells = [
        cell_at(cell.slot, wall_s=cell.slot.level / 100)
        for cell in run_plan(Plan(levels=(500, 1000), blocks=1, sides=BOTH))
    ]
    plan = Plan(levels=(500, 1000, 1200), blocks=1, sides=BOTH)
    assert look_ahead(plan, [cell_at(check, wall_s=0.1), *cells]) == Outlook(
        cells=4, seconds=4 * 11.0
    )


def test_outlook_after_a_failure_is_that_of_the_other_side() -> None:
    """A stopped side runs no more."""
    plan = Plan(levels=(500, 1000, 2000), blocks=1, sides=BOTH)
    broken = run_plan(
        plan,
        Rule(
            ending=lambda slot, _: (
                Outcome.OOM if slot.side is Side.BASE and slot.level == 500 else Outcome.OK
            )
        ),
    )
    first = [cell for cell in broken if cell.slot.level == 500]
    assert look_ahead(plan, first).cells == len(broken) - len(first)


def test_outlook_of_a_budget_is_the_rest_of_it() -> None:
    """The number of its pairs is unknown, the time is not."""
    plan = Plan(levels=(500,), blocks=0, sides=BOTH, pairs=2, budget_s=600.0)
    cells = run_plan(Plan(levels=(500,), blocks=0, sides=BOTH))
    assert look_ahead(plan, cells).seconds == 600.0 - 2 * 5.0
