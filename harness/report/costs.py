"""The document of exact costs: a sentence, a table, and the missing counters."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.costs.slopes import has_changed
from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Purity, Side
from harness.model.units import show_change, show_seconds
from harness.report.lines import show_environment, show_load
from harness.report.markdown import bullets, code, escape, table

_DIFFERENCES = {
    Purity.CHANGE: "**change**: the two sides hold different runtimes",
    Purity.SETTINGS: "**settings**: the same runtime, driven in another way",
    Purity.AA: "**A/A**: the same runtime in the same environment; no cost may differ",
}
_NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostHeader:
    """The facts about a comparison of costs.

    Args:
        base, branch: Short commit and title.
        is_dirty: True if the branch has uncommitted changes.
        how: How the base was chosen.
        environments: By side.
    """

    base: str
    branch: str
    is_dirty: bool
    how: str
    purity: Purity
    environments: Mapping[str, Mapping[str, str]]


def render_costs(header: CostHeader, costs: ExactCosts) -> str:
    """Return the whole document, ending in a newline."""
    dirty = " + uncommitted changes" if header.is_dirty else ""
    arms = f"{costs.base_arm} → {costs.arm}" if costs.base_arm else costs.arm
    about = [
        f"base: {escape(header.base)}{_given(header, Side.BASE)}",
        f"branch: {escape(header.branch)}{dirty}{_given(header, Side.BRANCH)}",
        f"Compared: {_DIFFERENCES[header.purity]} ({escape(header.how)})",
        f"Load: {show_load(costs.load)}, under the virtual clock",
    ]
    title = f"## {arms}: exact costs"
    parts = (title, f"**{in_words(costs)}**", bullets(about), *cost_sections(costs))
    return "\n\n".join(parts) + "\n"


def in_words(costs: ExactCosts) -> str:
    """Return one line that names the changed costs."""
    gated = [cost for cost in costs.costs if cost.is_gated]
    if not gated:
        return "Nothing could be compared: see the missing counters below."
    differing = [cost for cost in gated if has_changed(cost)]
    if not differing:
        return f"No gated cost changed: {', '.join(escape(cost.name) for cost in gated)}."
    changes = "; ".join(f"{escape(cost.name)} {_difference(cost)}" for cost in differing)
    rest = "no other gated cost" if len(differing) < len(gated) else "every gated cost"
    return f"{changes}; {rest} changed."


def cost_sections(costs: ExactCosts) -> list[str]:
    """Return the table, the differing system calls and the notes."""
    levels = ", ".join(
        f"{escape(name)} at C={low} and {high}" for name, (low, high) in costs.levels.items()
    )
    notes = [
        *(f"**Missing**: {escape(sentence)}" for sentence in costs.missing),
        f"Counted twice in {show_seconds(costs.wall_s)}, {escape(costs.confinement)}; {escape(costs.python)}; {levels}",
        *(
            f"{escape(cost.name)} is shown but not gated: {escape(cost.advisory)}"
            for cost in costs.costs
            if cost.advisory
        ),
    ]
    return [part for part in (_table(costs), _calls(costs), bullets(notes)) if part]


def _given(header: CostHeader, side: Side) -> str:
    environment = show_environment(header.environments[side])
    return f", with {escape(environment)}" if environment else ""


def _table(costs: ExactCosts) -> str:
    rows = [
        [
            f"**{escape(cost.name)}**"
            if cost.is_gated and has_changed(cost)
            else escape(cost.name),
            _amount(cost.base),
            _amount(cost.branch),
            _difference(cost),
            _variation(cost),
        ]
        for cost in costs.costs
    ]
    header = ("cost", "base", "branch", "difference", "run-to-run variation")
    return table(header, rows, words=("cost", "variation")) if rows else ""


def _calls(costs: ExactCosts) -> str:
    lines = [
        f"{code(name)}: {_amount(base)} → {_amount(branch)} a turn ({branch - base:+,.4g})"
        for cost in costs.costs
        for name, (base, branch) in sorted(cost.detail.items())
        if base != branch and not cost.advisory
    ]
    return f"System calls that differ:\n\n{bullets(lines)}" if lines else ""


def _amount(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.6g}"


def _difference(cost: ExactCost) -> str:
    """Show the difference of the sides, and the ratio if the base is not zero."""
    if cost.base is None or cost.branch is None:
        return _NONE
    difference = cost.branch - cost.base
    if not difference:
        return "0"
    shown = f"{difference:+,.0f}" if abs(difference) >= 1000 else f"{difference:+,.4g}"
    if cost.base <= 0:
        return shown
    ratio = cost.branch / cost.base
    is_small = abs(ratio - 1) < 0.001
    return f"{shown} ({f'{(ratio - 1) * 100:+.2g} %' if is_small else show_change(ratio)})"


def _variation(cost: ExactCost) -> str:
    if cost.spread is None:
        return "counted once"
    if not cost.spread:
        return "none"
    shown = f"±{cost.spread * 100:.2g} %"
    return shown if cost.reproducible or cost.advisory else f"**{shown}: not gated**"
