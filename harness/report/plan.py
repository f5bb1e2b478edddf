"""The plan of a comparison as people read it."""

from collections.abc import Mapping, Sequence

from harness.model.cells import Slot
from harness.model.nouns import Phase, Purity, Side
from harness.model.plan import Plan
from harness.model.runs import RunInfo, SideInfo
from harness.model.text import printable
from harness.model.units import show_count, show_plural, show_ratio, show_seconds
from harness.plan.next_cell import planned_slots
from harness.plan.refinement import TOLERANCE
from harness.report.lines import show_title


def plan_text(
    sides: Sequence[SideInfo],
    purity: Purity,
    how: str,
    built: Mapping[Side, bool],
    plan: Plan,
) -> str:
    """Return refs, hashes, images, the cells in the order in which they run while none fails, and what then depends on them.

    Args:
        sides: The base first.
        purity: What differs between them.
        how: How the base was chosen.
        built: Whether a side's image is there already.
        plan: What is to be run.
    """
    slots = planned_slots(plan)
    lines = [
        f"compared: {purity} ({how})",
        *_sides(sides, built),
        f"cells, {len(slots)} while none fails:",
        *_numbered(slots),
        *(f"then {text}" for text in _conditional(plan)),
    ]
    return "\n".join(printable(line) for line in lines)


def rest_text(run: RunInfo, kept: int, built: Mapping[Side, bool], slots: Sequence[Slot]) -> str:
    """Return what is left of a run that is resumed: its builds, the cells in the order in which they run while none fails, and the rest.

    Args:
        run: As it is stored.
        kept: How many cells it has.
        built: Whether a side's image is still there.
        slots: Of the cells that are left.
    """
    lines = [
        f"resumed: the run of {run.started_at} ({run.how})",
        *_sides(run.sides, built),
        f"cells, {kept} kept, {len(slots)} left while none fails:",
        *_numbered(slots),
        *(f"then {text}" for text in _conditional(run.plan)),
    ]
    return "\n".join(printable(line) for line in lines)


def _numbered(slots: Sequence[Slot]) -> list[str]:
    return [f"  {number:>3}. {_place(slot)}" for number, slot in enumerate(slots, start=1)]


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
            given = " ".join(
                f"{name}={value}" for name, value in sorted(side.drive.environment.items())
            )
            lines.append(f"  with    {given}")
    return lines


def _place(slot: Slot) -> str:
    if slot.phase is Phase.CHECK:
        return f"C=1 {slot.side}, to see that it runs at all"
    if slot.phase is Phase.WARM_UP:
        return f"C={show_count(slot.level)} {slot.side}, a warm-up whose numbers are thrown away"
    pair = "" if slot.pair is None else f", block {slot.block + 1}, pair {slot.pair + 1}"
    return f"C={show_count(slot.level)} {slot.side}{pair}"


def _conditional(plan: Plan) -> list[str]:
    """Say what will follow from the ladder."""
    texts = []
    if plan.refine:
        texts.append(
            "refinement: where a side breaks, both ends of its bracket until 2 of 3 cells agree, then levels between them "
            f"until they are within {(TOLERANCE - 1) * 100:.0f} %"
        )
    elif plan.decides:
        texts.append(
            "refinement: where the sides break at different levels, the ends of both brackets until 2 of 3 cells agree"
        )
    if plan.decides:
        texts.append(f"decision: {_decision(plan)}")
    if plan.budget_s is not None:
        texts.append(
            f"budget: more ABBA blocks at the decision levels, where they show most a second, up to {show_seconds(plan.budget_s)} in all"
        )
    return texts


def _decision(plan: Plan) -> str:
    pairs = f"{show_plural(plan.pairs, 'pair')} a level, those of the ladder included, at"
    if plan.decision_levels:
        levels = ", ".join(f"C={show_count(level)}" for level in plan.decision_levels)
        return f"{pairs} {levels}, where that is below both knees"
    return (
        f"{pairs} the highest level up to half of the base's capacity (latency inflation up to {show_ratio(plan.objective)}) "
        "and at the last level that both pass"
    )
