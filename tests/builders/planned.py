"""Plans that run without a box: a rule determines the outcomes."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.model.plan import Plan
from harness.plan.next_cell import next_slot
from tests.builders.model import cell_at, make_result

BOTH = (Side.BASE, Side.BRANCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The end of the cells of a plan.

    Args:
        ending: Returns the outcome, by slot and by number within side and level, from 0.
        latency_infl: For ok cells.
        cpu_ms_per_turn: For ok cells, by slot and number.
    """

    ending: Callable[[Slot, int], Outcome] = lambda _slot, _number: Outcome.OK
    latency_infl: Callable[[Slot], float] = lambda _slot: 1.5
    cpu_ms_per_turn: Callable[[Slot, int], float] = lambda _slot, _number: 2.0
    wall_s: Callable[[Slot], float] = lambda _slot: 4.0


def run_plan(plan: Plan, rule: Rule | None = None, *, at_most: int = 400) -> list[Cell]:
    """Run a plan to its end, and check that no slot runs twice."""
    rule = rule or Rule()
    cells: list[Cell] = []
    while (slot := next_slot(plan, cells)) is not None:
        assert slot not in {cell.slot for cell in cells}, "a slot is run twice"
        assert len(cells) < at_most, "the plan does not end"
        cells.append(_end(slot, rule, cells))
    return cells


def breaks_at(outcome: Outcome = Outcome.OOM, **limits: int) -> Callable[[Slot, int], Outcome]:
    """Make sides, by name, end in `outcome` from a level on."""

    def ending(slot: Slot, _number: int) -> Outcome:
        return outcome if slot.level >= limits.get(slot.side, 1 << 30) else Outcome.OK

    return ending


def show(cells: list[Cell]) -> str:
    """Show cells as ``phase LEVEL:ORDER …``.

    An unpaired cell is in lower case; ``-`` marks a failed cell, ``!`` an invalid one.
    """
    shown: list[str] = []
    place: tuple[Phase, int] | None = None
    for cell in cells:
        slot = cell.slot
        if (slot.phase, slot.level) != place:
            phase = f"{slot.phase} " if place is None or slot.phase is not place[0] else ""
            shown.append(f"{' ' if shown else ''}{phase}{slot.level}:")
            place = (slot.phase, slot.level)
        letter = "A" if slot.side is Side.BASE else "B"
        mark = {Outcome.OK: "", Outcome.INVALID: "!"}.get(cell.outcome, "-")
        shown.append((letter if slot.pair is not None else letter.lower()) + mark)
    return "".join(shown)


def _end(slot: Slot, rule: Rule, before: list[Cell]) -> Cell:
    place = (slot.side, slot.level)
    number = sum((cell.slot.side, cell.slot.level) == place for cell in before)
    cell = cell_at(slot, rule.ending(slot, number), wall_s=rule.wall_s(slot))
    if cell.result is None:
        return cell
    result = make_result(
        slot.level,
        latency_infl=rule.latency_infl(slot),
        cpu_ms_per_turn=rule.cpu_ms_per_turn(slot, number),
        rss_kb_per_session=50.0,
    )
    return structs.replace(cell, result=result)
