"""The phases of a comparison, end to end over fakes."""

from typing import Any

from harness.model.nouns import Outcome, Phase, Side
from harness.verbs.compare import compare, show_plan
from tests.builders.world import FakeWorld, make_request, make_world
from tests.fakes.fake_box import fails_with, holds_up_to


def _compared(fakes: FakeWorld, **settings: Any) -> str:  # noqa: ANN401  # each has the type of its setting
    compare(fakes.world, make_request(500, 1000, 2000, **settings))
    return " ".join(
        f"{cell.slot.phase}:{cell.slot.level}:{cell.slot.side}" for cell in fakes.store.only.cells
    )


def test_compare_runs_its_phases_in_order() -> None:
    """Each cell is stored with its phase; progress names phases beside the ladder."""
    fakes = make_world(branch=holds_up_to(1800))
    ran = _compared(fakes, blocks=0, warm_up=True, refine=True, pairs=2)
    assert ran == (
        "warm-up:500:base warm-up:500:branch "
        "ladder:500:base ladder:500:branch ladder:1000:branch ladder:1000:base ladder:2000:base ladder:2000:branch "
        "refine:2000:branch refine:1000:branch "
        "refine:1420:branch refine:1420:branch refine:1680:branch refine:1680:branch refine:1830:branch refine:1830:branch "
        "decision:1000:base decision:1000:branch"
    )
    lines = fakes.progress.lines
    assert (
        "C=500     base   warm-up: ok, 1.50× latency-infl, 8 threads, 2 cpu-ms/turn, 100 MB (1.0 s)"
        in lines
    )
    assert any(
        line.startswith("branch: the knee is between C=1,680 and C=1,830") for line in lines
    )


def test_compare_stores_what_its_plan_was_settled_on() -> None:
    """The stored run holds its plan."""
    fakes = make_world()
    _compared(fakes, pairs=4, budget_s=60.0, objective=1.5, decision_levels=(700,))
    comparison = fakes.store.only.comparison
    plan = comparison.run.plan
    assert (plan.pairs, plan.budget_s, plan.objective) == (4, 60.0, 1.5)
    assert (plan.decision_levels, plan.refine, plan.warm_up) == ((700,), False, False)
    assert [row.level for row in comparison.rows] == [500, 700, 1000, 2000]
    assert [cell.slot.phase for cell in fakes.store.only.cells][-4:] == [Phase.DECISION] * 4


def test_compare_goes_on_after_a_warm_up_that_failed() -> None:
    """It has no row, no knee and no warning, but its cell is kept."""
    fakes = make_world(branch=fails_with(Outcome.CRASH, at=500))
    ran = _compared(fakes, warm_up=True)
    assert ran.startswith("warm-up:500:base warm-up:500:branch ladder:500:base ladder:500:branch")
    comparison = fakes.store.only.comparison
    assert len(comparison.rows[0].cells[Side.BRANCH]) == 2


def test_show_plan_shows_the_phases() -> None:
    """Certain cells are listed in order, conditional phases in words."""
    shown = show_plan(make_world().world, make_request(500, warm_up=True, refine=True))
    assert "C=500 base, warm-up, discarded" in shown
    assert shown.splitlines()[-1].startswith("then refinement: repeat both ends")
