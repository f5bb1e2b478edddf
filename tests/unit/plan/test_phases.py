"""The phases around the ladder: warm-up, refinement and decision."""

import pytest

from harness.analysis.levels import Capacity, find_capacity
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.decision import missing_pairs, pair_levels
from harness.plan.next_cell import next_slot, planned_slots
from tests.builders.model import cell_at
from tests.builders.planned import BOTH, Rule, breaks_at, run_plan, show

LEVELS = (500, 1000, 2000, 4000)


def _plan(*levels: int, blocks: int = 1, sides: tuple[Side, ...] = BOTH, **more: object) -> Plan:
    fields: dict[str, object] = {"levels": levels, "blocks": blocks, "sides": sides, **more}
    return Plan(**fields)  # type: ignore[arg-type]  # the fields are the caller's to get right


def _once(side: Side, level: int, *numbers: int, outcome: Outcome = Outcome.OOM) -> Rule:
    """Make single cells of a side and level end in `outcome`, by number."""

    def ending(slot: Slot, number: int) -> Outcome:
        is_meant = (slot.side, slot.level) == (side, level) and number in numbers
        return outcome if is_meant else Outcome.OK

    return Rule(ending=ending)


def test_warm_up_is_a_cell_per_side_before_the_ladder() -> None:
    """It runs at the lowest level, and is one of the certain cells."""
    plan = _plan(1, 2, warm_up=True)
    assert show(run_plan(plan)) == "warm-up 1:ab ladder 1:ABBA 2:BAAB"
    assert [slot.phase for slot in planned_slots(plan)[:5]] == [
        *(Phase.CHECK, Phase.CHECK),
        *(Phase.WARM_UP, Phase.WARM_UP),
        Phase.LADDER,
    ]


def test_warm_up_of_a_plan_without_levels_is_empty() -> None:
    """The plan is empty."""
    assert run_plan(_plan(warm_up=True)) == []


def test_warm_up_that_fails_stops_no_side() -> None:
    """Only the ladder stops a side."""
    rule = Rule(
        ending=lambda slot, _: Outcome.CRASH if slot.phase is Phase.WARM_UP else Outcome.OK
    )
    assert show(run_plan(_plan(1, warm_up=True), rule)) == "warm-up 1:a-b- ladder 1:ABBA"


def test_warm_up_that_is_invalid_twice_ends_its_side() -> None:
    """After two invalid attempts the side is not measured further."""
    rule = _once(Side.BASE, 1, 0, 1, outcome=Outcome.INVALID)
    assert show(run_plan(_plan(1, 2, warm_up=True), rule)) == "warm-up 1:a!a!b ladder 1:b 2:b"


def test_scout_runs_one_pair_per_level() -> None:
    """Zero blocks mean one pair per level; after a failure one side continues."""
    scout = _plan(1, 2, 4, 8, blocks=0)
    assert show(run_plan(scout)) == "ladder 1:AB 2:BA 4:AB 8:BA"
    assert show(run_plan(scout, Rule(ending=breaks_at(branch=4)))) == "ladder 1:AB 2:BA 4:AB- 8:a"
    assert planned_slots(scout)[2:] == tuple(cell.slot for cell in run_plan(scout))


@pytest.mark.parametrize(
    ("blocks", "rule", "expected"),
    [
        pytest.param(1, Rule(), "ladder 500:ABBA 1000:BAAB 2000:ABBA 4000:BAAB", id="no knee"),
        pytest.param(
            0,
            Rule(ending=breaks_at(base=1500, branch=2600)),
            "ladder 500:AB 1000:BA 2000:A-B 4000:b- refine 2000:a- 4000:b- 1000:a 2000:b 1420:a 2850:b- "
            "1420:a 2850:b- 1680:a- 2380:b 1680:a- 2380:b 1540:a- 2600:b- 1540:a- 2600:b-",
            id="both are narrowed, by turns",
        ),
        pytest.param(
            1,
            Rule(ending=breaks_at(Outcome.TIMEOUT_STALLED, branch=3000)),
            "ladder 500:ABBA 1000:BAAB 2000:ABBA 4000:B-A refine 2850:bb 3400:b- 3120:b-",
            id="one timeout is enough",
        ),
        pytest.param(
            1,
            Rule(ending=breaks_at(base=1, branch=1)),
            "ladder 500:A-B-B-A-",
            id="no bracket below the lowest level",
        ),
        pytest.param(
            1,
            _once(Side.BRANCH, 1000, 1),
            "ladder 500:ABBA 1000:BAAB- 2000:a 4000:a refine 1000:b 2000:bb 4000:bb",
            id="a chance failure is outvoted, and the side goes on",
        ),
        pytest.param(
            0,
            _once(Side.BRANCH, 1000, 0, 2),
            "ladder 500:AB 1000:B-A 2000:a 4000:a refine 1000:bb- 500:b 700:bb 840:bb 915:bb",
            id="two of three fail",
        ),
        pytest.param(
            1,
            _once(Side.BRANCH, 1000, 1, outcome=Outcome.TIMEOUT_STALLED),
            "ladder 500:ABBA 1000:BAAB- 2000:a 4000:a refine 1000:b 2000:bb 4000:bb",
            id="a timeout against an ok cell is tried a third time",
        ),
    ],
)
def test_refinement_confirms_and_narrows_each_bracket(
    blocks: int, rule: Rule, expected: str
) -> None:
    """Ends come first, then levels between; each repeats until two cells agree."""
    assert show(run_plan(_plan(*LEVELS, blocks=blocks, refine=True), rule)) == expected


def test_refinement_of_one_build_narrows_its_bracket() -> None:
    """A ramp ends with a bracket too."""
    plan = _plan(10, 20, sides=(Side.BRANCH,), refine=True)
    shown = show(run_plan(plan, Rule(ending=breaks_at(branch=13))))
    assert shown == "ladder 10:b 20:b- refine 20:b- 10:b 14:b-b- 12:bb 13:b-b-"


def test_refinement_lowers_an_end_that_is_not_confirmed() -> None:
    """A level with one pass and two failures is the new upper end."""
    rule = Rule(
        ending=lambda slot, number: (
            Outcome.OOM if slot.level >= 1000 and (slot.level, number) != (1000, 0) else Outcome.OK
        )
    )
    shown = show(run_plan(_plan(500, 1000, 2000, sides=(Side.BASE,), refine=True), rule))
    assert shown.startswith("ladder 500:a 1000:a 2000:a- refine 2000:a- 1000:a-a- 500:a 700:aa ")


def test_refinement_without_a_request_confirms_knees_that_differ() -> None:
    """If pairs follow, a moved knee is confirmed, not narrowed."""
    rule = Rule(ending=breaks_at(branch=2000))
    assert show(run_plan(_plan(1000, 2000, 4000, blocks=0, pairs=1), rule)) == (
        "ladder 1000:AB 2000:B-A 4000:a refine 2000:b- 1000:b"
    )
    assert "refine" not in show(run_plan(_plan(1000, 2000, 4000, blocks=0), rule))


def _late(slot: Slot) -> float:
    """Return a latency inflation that exceeds 2 at different levels per side."""
    return slot.level / (550 if slot.side is Side.BASE else 1200)


def test_refinement_narrows_the_capacity_as_well() -> None:
    """The bracket of the capacity ends within 10 % too."""
    plan = _plan(1000, 2000, 4000, blocks=0, refine=True)
    cells = run_plan(plan, Rule(latency_infl=_late))
    assert show(cells) == (
        "ladder 1000:AB 2000:BA 4000:AB refine 2000:a 4000:b 1000:a 2000:b 1420:a 2850:b 1420:a 2850:b "
        "1190:a 2380:b 1190:a 2380:b 1090:a 2600:b 1090:a 2600:b"
    )
    assert find_capacity(cells, Side.BASE, 2.0) == Capacity(within=1090, beyond=1190)


def test_refinement_confirms_capacities_that_differ() -> None:
    """If pairs follow, a moved capacity is confirmed too."""
    plan = _plan(1000, 2000, 4000, blocks=0, pairs=1)
    assert show(run_plan(plan, Rule(latency_infl=_late))) == (
        "ladder 1000:AB 2000:BA 4000:AB refine 2000:a 4000:b 1000:a 2000:b"
    )


def test_refinement_runs_a_third_cell_if_two_disagree_about_latency() -> None:
    """One late cell and one punctual cell do not decide."""
    plan = _plan(1000, 2000, blocks=0, refine=True, sides=(Side.BASE,))
    late = iter([1.0, 2.5, 1.9, 2.3, 1.0, *[9.0] * 20])
    shown = show(run_plan(plan, Rule(latency_infl=lambda _: next(late))))
    assert shown.startswith("ladder 1000:a 2000:a refine 2000:aa 1000:a 1420:aa ")


def test_refinement_skips_a_side_that_has_ended() -> None:
    """The side stays out of the later phases."""
    rule = Rule(
        ending=lambda slot, _: (
            Outcome.INVALID
            if slot.phase is Phase.REFINE and slot.side is Side.BASE
            else breaks_at(base=20, branch=20)(slot, 0)
        )
    )
    shown = show(run_plan(_plan(10, 20, blocks=0, refine=True, pairs=4), rule))
    expected = "ladder 10:AB 20:B-A- refine 20:a!a!b- 10:b 14:bb 17:bb 18:bb 19:bb"
    assert shown == expected


@pytest.mark.parametrize(
    ("plan", "rule", "expected"),
    [
        pytest.param(
            _plan(*LEVELS, pairs=4),
            Rule(),
            "2000:BAAB 4000:ABBA",
            id="the pairs of the ladder count",
        ),
        pytest.param(
            _plan(*LEVELS, blocks=0, pairs=5),
            Rule(),
            "2000:BA 4000:AB 2000:BAAB 4000:ABBA 2000:AB 4000:BA",
            id="the block that a scout began is completed",
        ),
        pytest.param(
            _plan(*LEVELS, pairs=3), Rule(), "2000:BA 4000:AB", id="an odd number ends in a pair"
        ),
        pytest.param(_plan(*LEVELS, pairs=2), Rule(), "", id="the ladder has them all"),
        pytest.param(
            _plan(*LEVELS, pairs=4),
            Rule(latency_infl=lambda slot: slot.level / 500),
            "500:BAAB 4000:ABBA",
            id="half of the capacity, not of the ladder",
        ),
        pytest.param(
            _plan(*LEVELS, pairs=4),
            Rule(latency_infl=lambda _: 9.0),
            "500:BAAB 4000:ABBA",
            id="no capacity at all",
        ),
        pytest.param(_plan(500, pairs=4), Rule(), "500:BAAB", id="one level"),
        pytest.param(
            _plan(500, pairs=4), Rule(ending=breaks_at(base=1)), "", id="none that both pass"
        ),
        pytest.param(
            _plan(500, 1000, pairs=2, decision_levels=(700, 1000, 1500)),
            Rule(),
            "700:BAAB 1500:ABBA",
            id="levels that were named, on the ladder or not",
        ),
        pytest.param(
            _plan(500, 1000, pairs=4, decision_levels=(500, 1000)),
            Rule(ending=breaks_at(branch=1000)),
            "500:BAAB",
            id="a named level beyond a knee",
        ),
        pytest.param(
            _plan(500, 1000, blocks=0, pairs=6),
            _once(Side.BRANCH, 1000, 1),
            "500:BA 1000:AB- 500:BAABABBA",
            id="a failed cell ends its level after the block",
        ),
        pytest.param(
            _plan(500, 1000, blocks=0, pairs=6),
            _once(Side.BRANCH, 1000, 2, outcome=Outcome.TIMEOUT_STALLED),
            "500:BA 1000:AB 500:BAAB 1000:AB- 500:ABBA",
            id="a timeout ends its level after the pair",
        ),
        pytest.param(
            _plan(500, 1000, blocks=0, pairs=4),
            _once(Side.BRANCH, 1000, 2, outcome=Outcome.INVALID),
            "500:BA 1000:AB 500:BAAB 1000:AB!BBA",
            id="an invalid cell is run again in its place",
        ),
        pytest.param(
            _plan(500, 1000, blocks=0, pairs=9),
            _once(Side.BRANCH, 1000, 2, 3, outcome=Outcome.INVALID),
            "500:BA 1000:AB 500:BAAB 1000:AB!B!",
            id="twice invalid is the end of all pairs",
        ),
    ],
)
def test_decision_pairs_are_at_two_levels(plan: Plan, rule: Rule, expected: str) -> None:
    """The levels alternate, block by block."""
    cells = [cell for cell in run_plan(plan, rule) if cell.slot.phase is Phase.DECISION]
    assert show(cells) == (f"decision {expected}" if expected else "")


def test_decision_levels_follow_from_the_ladder_alone() -> None:
    """Late pairs do not move their own level."""
    rule = Rule(latency_infl=lambda slot: 1.0 if slot.phase is Phase.LADDER else 9.0)
    plan = _plan(*LEVELS, pairs=8)
    cells = run_plan(plan, rule)
    assert pair_levels(plan, cells) == (2000, 4000)
    assert missing_pairs(plan, cells) == {}


def test_decision_of_one_build_has_no_pairs() -> None:
    """A ramp compares nothing."""
    assert show(run_plan(_plan(1, sides=(Side.BASE,), pairs=8))) == "ladder 1:a"


def test_missing_pairs_are_those_without_a_failed_cell() -> None:
    """A failed level is reported elsewhere."""
    plan = _plan(500, 1000, blocks=0, pairs=4)
    cells: list[Cell] = []
    while len(cells) < 8 and (slot := next_slot(plan, cells)) is not None:
        is_last = (slot.level, slot.phase) == (1000, Phase.DECISION)
        cells.append(cell_at(slot, Outcome.OOM if is_last else Outcome.OK))
    assert missing_pairs(plan, cells) == {500: 2}
