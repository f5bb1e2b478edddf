"""The plan of a comparison for people: sides, cells in order, and later phases."""

from collections.abc import Mapping, Sequence

from harness.model.cells import Slot
from harness.model.nouns import Phase, Purity, Side
from harness.model.plan import Plan
from harness.model.runs import RunInfo, SideInfo
from harness.model.text import printable
from harness.model.units import show_count, show_plural, show_ratio, show_seconds
from harness.plan.next_cell import planned_slots
from harness.plan.refinement import TOLERANCE
from harness.report.lines import show_environment, show_title


def plan_text(
    sides: Sequence[SideInfo],
    purity: Purity,
    how: str,
    built: Mapping[Side, bool],
    plan: Plan,
) -> str:
    """Return the plan of a new run: builds, certain cells, and later phases.

    `built` is true for a side whose image exists.
    """
    slots = planned_slots(plan)
    first = f"compared: {purity} ({how})"
    return _text(first, _sides(sides, built), show_plural(len(slots), "cell"), slots, plan)


def rest_text(run: RunInfo, kept: int, built: Mapping[Side, bool], slots: Sequence[Slot]) -> str:
    """Return the plan of a resumed run: builds, remaining cells, and later phases.

    `kept` is the number of its finished cells; `built` is true for a side whose image exists.
    """
    first = f"resumed: the run of {run.started_at} ({run.how})"
    cells = f"{show_plural(kept, 'cell')} kept, {len(slots)} left"
    return _text(first, _sides(run.sides, built), cells, slots, run.plan)


def _text(first: str, sides: Sequence[str], cells: str, slots: Sequence[Slot], plan: Plan) -> str:
    lines = [
        first,
        *sides,
        f"{cells} if none fails:",
        *(f"  {number:>3}. {_place(slot)}" for number, slot in enumerate(slots, start=1)),
        *(f"then {text}" for text in _later_phases(plan)),
    ]
    return "\n".join(printable(line) for line in lines)


def _sides(sides: Sequence[SideInfo], built: Mapping[Side, bool]) -> list[str]:
    lines = []
    for side in sides:
        dirty = f" + uncommitted changes {side.dirty[:12]}" if side.dirty else ""
        state = "built already" if built[side.side] else "to be built"
        lines += [
            f"{side.side}:",
            f"  commit  {side.commit}{dirty}  {show_title(side.title)}",
            f"  arm     {side.drive.arm}",
            f"  runtime {side.subject}",
            f"  gauge   {side.gauge}",
            f"  image   {side.image} ({state})",
        ]
        if side.drive.environment:
            lines.append(f"  with    {show_environment(side.drive.environment)}")
    return lines


def _place(slot: Slot) -> str:
    place = f"C={show_count(slot.level)} {slot.side}"
    if slot.phase is Phase.CHECK:
        return f"{place}, check that it runs"
    if slot.phase is Phase.WARM_UP:
        return f"{place}, warm-up, discarded"
    return place if slot.pair is None else f"{place}, block {slot.block + 1}, pair {slot.pair + 1}"


def _later_phases(plan: Plan) -> list[str]:
    """Describe the phases whose cells depend on the ladder."""
    texts = []
    repeat = "repeat both ends of each bracket until 2 of 3 cells agree"
    if plan.refine:
        limit = f"{(TOLERANCE - 1) * 100:.0f} %"
        texts.append(
            f"refinement: {repeat}, then halve the bracket until its ends are within {limit}"
        )
    elif plan.decides:
        texts.append(f"refinement, if the sides break at different levels: {repeat}")
    if plan.decides:
        pairs = f"{show_plural(plan.pairs, 'pair')} per level, pairs of the ladder included"
        texts.append(f"decision: {pairs}, at {_decision_places(plan)}")
    if plan.budget_s is not None:
        total = f"up to {show_seconds(plan.budget_s)} in total"
        texts.append(
            f"budget: more blocks at the level where they narrow the intervals fastest, {total}"
        )
    return texts


def _decision_places(plan: Plan) -> str:
    if plan.decision_levels:
        levels = ", ".join(f"C={show_count(level)}" for level in plan.decision_levels)
        return f"{levels}, if below both knees"
    return (
        f"the highest level within half of the base's capacity (latency inflation up to {show_ratio(plan.objective)}) "
        "and the last level that both pass"
    )
