"""The order of cells: ABBA blocks, failures and retries."""

from collections.abc import Callable

import pytest

from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.ladder import check_slots
from harness.plan.next_cell import next_slot, planned_slots
from tests.builders.model import cell_at

BOTH = (Side.BASE, Side.BRANCH)
LETTER = {Side.BASE: "A", Side.BRANCH: "B"}
Ending = Callable[[Slot], Outcome]


def _run(plan: Plan, ending: Ending) -> list[Slot]:
    """Run a plan to its end, with outcomes by `ending`."""
    cells: list[Cell] = []
    while (slot := next_slot(plan, cells)) is not None:
        cells.append(cell_at(slot, ending(slot)))
        assert len(cells) < 200, "the plan does not end"
    return [cell.slot for cell in cells]


def _show(slots: list[Slot] | tuple[Slot, ...]) -> str:
    """Show slots as `LEVEL:ORDER`: unpaired in lower case, a retry with `!`."""
    shown: dict[int, str] = {}
    for slot in slots:
        letter = LETTER[slot.side] if slot.pair is not None else LETTER[slot.side].lower()
        shown[slot.level] = shown.get(slot.level, "") + letter + "!" * slot.attempt
    return " ".join(f"{level}:{order}" for level, order in shown.items())


def _plan(*levels: int, blocks: int = 1, sides: tuple[Side, ...] = BOTH) -> Plan:
    return Plan(levels=levels, blocks=blocks, sides=sides)


def _fails(side: Side, level: int, outcome: Outcome = Outcome.OOM, *, nth: int = 0) -> Ending:
    """Make a side's `nth` cell at `level`, and all later ones, end in `outcome`."""
    seen = []

    def ending(slot: Slot) -> Outcome:
        if slot.side is side and slot.level >= level:
            seen.append(slot)
            return outcome if len(seen) > nth else Outcome.OK
        return Outcome.OK

    return ending


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        pytest.param(lambda _: Outcome.OK, "1:ABBA 2:BAAB 4:ABBA", id="nothing fails"),
        pytest.param(_fails(Side.BASE, 2), "1:ABBA 2:BAAB 4:b", id="the base fails"),
        pytest.param(_fails(Side.BRANCH, 1), "1:ABBA 2:a 4:a", id="the branch fails at once"),
        pytest.param(
            _fails(Side.BASE, 2, nth=1), "1:ABBA 2:BAAB 4:b", id="only in its second cell"
        ),
        pytest.param(
            _fails(Side.BASE, 1, Outcome.TIMEOUT_STALLED),
            "1:AB 2:b 4:b",
            id="the first cell times out",
        ),
        pytest.param(
            _fails(Side.BRANCH, 2, Outcome.TIMEOUT_PROGRESSING),
            "1:ABBA 2:BA 4:a",
            id="a BAAB block times out",
        ),
        pytest.param(
            _fails(Side.BRANCH, 1, Outcome.TIMEOUT_STALLED, nth=1),
            "1:ABB 2:a 4:a",
            id="the third cell times out",
        ),
    ],
)
def test_plan_orders_cells_and_stops_a_side(ending: Ending, expected: str) -> None:
    """A failed block is finished, except after a timeout; then one side continues."""
    assert _show(_run(_plan(1, 2, 4), ending)) == expected


def test_plan_ends_when_both_sides_have_stopped() -> None:
    """No level above the common failure runs."""
    assert _show(_run(_plan(1, 2, 4), lambda _: Outcome.CRASH)) == "1:ABBA"


def test_plan_of_two_timeouts_runs_one_cell_of_each() -> None:
    """Neither side runs again at a level where both stalled."""
    assert _show(_run(_plan(1, 2), lambda _: Outcome.TIMEOUT_STALLED)) == "1:AB"


def test_plan_of_two_blocks_alternates_within_a_level() -> None:
    """Blocks and levels alternate the side that starts."""
    slots = _run(_plan(1, 2, blocks=2), lambda _: Outcome.OK)
    assert _show(slots) == "1:ABBABAAB 2:BAABABBA"
    assert [slot.block for slot in slots[:8]] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_plan_of_two_blocks_drops_the_second_when_a_side_stops_in_the_first() -> None:
    """The failed side runs no more, and the other runs one cell per level."""
    slots = _run(_plan(1, 2, blocks=2), _fails(Side.BASE, 1))
    assert _show(slots) == "1:ABBA 2:b"


def test_plan_of_two_blocks_finishes_the_second_when_a_side_stops_there() -> None:
    """The side stops after that block."""
    slots = _run(_plan(1, 2, blocks=2), _fails(Side.BASE, 1, nth=2))
    assert _show(slots) == "1:ABBABAAB 2:b"


def test_plan_numbers_the_pairs_of_a_block() -> None:
    """The first two cells are pair 0, the last two pair 1."""
    slots = _run(_plan(1), lambda _: Outcome.OK)
    assert [slot.pair for slot in slots] == [0, 0, 1, 1]


@pytest.mark.parametrize("side", list(Side))
def test_plan_of_one_side_runs_one_cell_a_level(side: Side) -> None:
    """A ramp runs no pairs, and stops at its first failure."""
    slots = _run(_plan(1, 2, 4, sides=(side,)), _fails(side, 2))
    assert [(slot.level, slot.side, slot.pair) for slot in slots] == [
        (1, side, None),
        (2, side, None),
    ]


def test_plan_retries_an_invalid_cell_in_its_place() -> None:
    """The retry follows at once: the cells of the pair stay neighbours."""
    answers = iter([Outcome.OK, Outcome.INVALID, *[Outcome.OK] * 9])
    slots = _run(_plan(1, 2), lambda _: next(answers))
    assert _show(slots) == "1:ABB!BA 2:BAAB"
    assert slots[2] == Slot(side=Side.BRANCH, level=1, block=0, pair=0, attempt=1)


def test_plan_stops_a_side_whose_cell_was_invalid_twice() -> None:
    """The block is finished, then the other side continues alone."""
    answers = iter([Outcome.INVALID, Outcome.INVALID, *[Outcome.OK] * 9])
    assert _show(_run(_plan(1, 2), lambda _: next(answers))) == "1:AA!BBA 2:b"


def test_plan_ends_when_every_cell_is_invalid() -> None:
    """The run ends on a host that disturbs every cell."""
    assert _show(_run(_plan(1, 2), lambda _: Outcome.INVALID)) == "1:AA!BB!BB!AA!"


def test_plan_ignores_the_checks() -> None:
    """A check is not part of the ladder, even if it is invalid."""
    plan = _plan(1)
    checks = [cell_at(slot, Outcome.INVALID) for slot in check_slots(plan)]
    assert next_slot(plan, checks) == Slot(side=Side.BASE, level=1, block=0, pair=0)


def test_check_slots_are_one_cell_a_side_at_level_one() -> None:
    """The base comes first."""
    assert check_slots(_plan(500)) == (
        Slot(side=Side.BASE, level=1, block=0, pair=None, phase=Phase.CHECK),
        Slot(side=Side.BRANCH, level=1, block=0, pair=None, phase=Phase.CHECK),
    )


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("sides", [BOTH, (Side.BRANCH,)])
def test_planned_slots_are_what_runs_when_nothing_fails(
    blocks: int, sides: tuple[Side, ...]
) -> None:
    """The dry run shows the order of the run."""
    plan = _plan(1, 2, 4, blocks=blocks, sides=sides)
    assert planned_slots(plan) == (*check_slots(plan), *_run(plan, lambda _: Outcome.OK))
