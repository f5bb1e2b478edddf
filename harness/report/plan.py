"""The plan of a comparison as people read it."""

from collections.abc import Mapping, Sequence

from harness.model import Purity, Side, SideInfo, Slot
from harness.plan import CHECK_BLOCK
from harness.report.lines import printable
from harness.units import show_count


def plan_text(
    sides: Sequence[SideInfo],
    purity: Purity,
    how: str,
    built: Mapping[Side, bool],
    slots: Sequence[Slot],
) -> str:
    """Return refs, hashes, images and the cells in the order in which they run while none fails.

    Args:
        sides: The base first.
        purity: What differs between them.
        how: How the base was chosen.
        built: Whether a side's image is there already.
        slots: The cells in order.
    """
    lines = [f"compared: {purity} ({how})"]
    for side in sides:
        dirty = f" + uncommitted changes {side.dirty[:12]}" if side.dirty else ""
        state = "built already" if built[side.side] else "to be built"
        lines += [
            f"{side.side}:",
            f"  commit  {side.commit}{dirty}  {side.title}",
            f"  arm     {side.arm}",
            f"  runtime {side.subject}",
            f"  gauge   {side.gauge}",
            f"  image   {side.image} ({state})",
        ]
        if side.environment:
            given = " ".join(f"{name}={value}" for name, value in sorted(side.environment.items()))
            lines.append(f"  with    {given}")
    lines.append(f"cells, {len(slots)} while none fails:")
    lines += [f"  {number:>3}. {_place(slot)}" for number, slot in enumerate(slots, start=1)]
    return "\n".join(printable(line) for line in lines)


def _place(slot: Slot) -> str:
    if slot.block == CHECK_BLOCK:
        return f"C=1 {slot.side}, to see that it runs at all"
    pair = "" if slot.pair is None else f", block {slot.block + 1}, pair {slot.pair + 1}"
    return f"C={show_count(slot.level)} {slot.side}{pair}"
