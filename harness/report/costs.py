"""Exact costs as people read them: first in words, then a table, then what is not in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.costs.slopes import has_changed
from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Purity, Side
from harness.model.units import show_change, show_seconds
from harness.report.markdown import code, escape, table

_WHAT_DIFFERS = {
    Purity.CHANGE: "**change**: the two sides hold different runtimes",
    Purity.SETTINGS: "**settings**: the same runtime, driven in another way",
    Purity.AA: "**A/A**: the same runtime in the same environment; nothing may differ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostHeader:
    """What was compared.

    Args:
        base, branch: Short commit and title.
        is_dirty: Whether the branch has uncommitted changes.
        how: How the base was chosen.
        environments: What each side was given, by the side.
    """

    base: str
    branch: str
    is_dirty: bool
    how: str
    purity: Purity
    environments: Mapping[str, Mapping[str, str]]


def render_costs(header: CostHeader, costs: ExactCosts) -> str:
    """Return the whole document, ending in a newline."""
    load = costs.load
    dirty = " + uncommitted changes" if header.is_dirty else ""
    about = [
        f"base: {escape(header.base)}{_given(header, Side.BASE)}",
        f"branch: {escape(header.branch)}{dirty}{_given(header, Side.BRANCH)}",
        f"Compared: {_WHAT_DIFFERS[header.purity]} ({escape(header.how)})",
        f"Load: {load.turns} turns, ttft {load.ttft_ms} ms, {load.tokens} tokens at {load.tok_ms} ms, under the virtual clock",
    ]
    parts = [
        f"## {_arms(costs)}: exact costs",
        f"**{in_words(costs)}**",
        _list(about),
        *cost_sections(costs),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def in_words(costs: ExactCosts) -> str:
    """Say in one line what has changed, and of the rest that it has not."""
    gated = [cost for cost in costs.costs if cost.is_gated]
    if not gated:
        return "Nothing could be compared: see what is missing."
    differing = [cost for cost in gated if has_changed(cost)]
    if not differing:
        return f"Nothing changed: {', '.join(escape(cost.name) for cost in gated)}."
    told = "; ".join(f"{escape(cost.name)} {_change(cost)}" for cost in differing)
    rest = "nothing else changed" if len(differing) < len(gated) else "so all of them changed"
    return f"{told}; {rest}."


def cost_sections(costs: ExactCosts) -> list[str]:
    """Return the table, the system calls that differ, what is missing, and how it was counted, each as a part of a document."""
    notes = [
        f"Counted twice in {show_seconds(costs.wall_s)}, {escape(costs.confinement)}; {escape(costs.python)}; "
        + ", ".join(
            f"{escape(name)} at C={low} and {high}" for name, (low, high) in costs.levels.items()
        ),
        *(
            f"{escape(cost.name)} is shown and not gated: {escape(cost.advisory)}"
            for cost in costs.costs
            if cost.advisory
        ),
    ]
    missing = [f"**Missing**: {escape(sentence)}" for sentence in costs.missing]
    return [part for part in (_table(costs), _calls(costs), _list([*missing, *notes])) if part]


def _arms(costs: ExactCosts) -> str:
    return f"{costs.base_arm} → {costs.arm}" if costs.base_arm else str(costs.arm)


def _given(header: CostHeader, side: Side) -> str:
    given = " ".join(
        f"{name}={value}" for name, value in sorted(header.environments[side].items())
    )
    return f", with {escape(given)}" if given else ""


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(costs: ExactCosts) -> str:
    rows = [
        [
            f"**{escape(cost.name)}**"
            if cost.is_gated and has_changed(cost)
            else escape(cost.name),
            _amount(cost.base),
            _amount(cost.branch),
            _difference(cost),
            _repeats(cost),
        ]
        for cost in costs.costs
    ]
    header = ("cost", "base", "branch", "difference", "repeats to")
    return table(header, rows, words=("cost", "repeats to")) if rows else ""


def _calls(costs: ExactCosts) -> str:
    lines = [
        f"- {code(name)}: {_amount(base)} → {_amount(branch)} a turn ({branch - base:+,.4g})"
        for cost in costs.costs
        for name, (base, branch) in sorted(cost.detail.items())
        if base != branch and not cost.advisory
    ]
    return "System calls that differ:\n\n" + "\n".join(lines) if lines else ""


def _amount(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.6g}"


def _difference(cost: ExactCost) -> str:
    if cost.base is None or cost.branch is None:
        return "–"
    if cost.base == cost.branch:
        return "0"
    return _change(cost)


def _change(cost: ExactCost) -> str:
    """Show the difference of two known costs, absolute and relative where there is something to relate it to."""
    base, branch = cost.base or 0.0, cost.branch or 0.0
    by = f"{branch - base:+,.0f}" if abs(branch - base) >= 1000 else f"{branch - base:+,.4g}"
    return f"{by} ({_percent(branch / base)})" if base > 0 else by


def _percent(ratio: float) -> str:
    """Show a change with one decimal, and a small one with what it takes to see it."""
    change = (ratio - 1) * 100
    return show_change(ratio) if abs(change) >= 0.1 else f"{change:+.2g} %"


def _repeats(cost: ExactCost) -> str:
    if cost.spread is None:
        return "counted once"
    if not cost.spread:
        return "the last digit"
    shown = f"1 in {1 / cost.spread:,.0f}"
    return shown if cost.reproducible or cost.advisory else f"**{shown}: not gated**"
