"""The markdown document of a run: settings, tables, takeaways and warnings."""

from collections.abc import Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.overall import judge
from harness.model.nouns import Purity
from harness.model.runs import RunInfo, SideInfo
from harness.model.units import show_bytes
from harness.report.cells import failed_cells, invalid_cells
from harness.report.lines import (
    knee_line,
    show_caps,
    show_environment,
    show_load,
    show_title,
)
from harness.report.markdown import bullets, code, escape
from harness.report.slopes import limits_table, observed
from harness.report.tables import cost_table, levels_table
from harness.report.takeaways import takeaways
from harness.report.verdict import headline, verdict_notes, verdict_table

_COST_NOTE = (
    "Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. "
    "Two pairs resolve little; an interval that spans 0 % shows no difference."
)


def render(comparison: Comparison) -> str:
    """Return the whole document, ending in a newline."""
    run = comparison.run
    line, verdict = _judged(comparison)
    parts = [_title(run), line, header(run), levels_table(comparison), verdict]
    return _joined([*parts, *_details(comparison), *_doubts(comparison)])


def render_summary(comparison: Comparison) -> str:
    """Return the summary for a pull request: the verdict, and details to unfold."""
    run = comparison.run
    line, verdict = _judged(comparison)
    folded = _joined([header(run), *_details(comparison)])
    fold = (
        f"<details><summary>How it was measured, and the details</summary>\n\n{folded}\n</details>"
    )
    parts = [_title(run), line, levels_table(comparison), verdict, fold]
    return _joined([*parts, *_doubts(comparison)])


def header(run: RunInfo) -> str:
    """Return the settings of a run as a list: sides, load, caps, box and host."""
    box = run.box
    purity = [] if run.purity is None else [f"Compared: {_purity(run)} ({escape(run.how)})"]
    resumed = f", resumed at {escape(', '.join(run.resumed))}" if run.resumed else ""
    return bullets(
        [
            *(_side_line(run, side) for side in run.sides),
            *purity,
            f"Load: {show_load(run.load)}",
            f"Caps: {show_caps(run.caps, box)}",
            f"Box: {escape(box.box)}, {escape(box.engine)}, cgroup {escape(box.cgroup)}, base image {escape(box.base_image)}",
            f"Host: {escape(box.host)}, {box.host_cpus} CPUs, {show_bytes(box.host_memory_bytes)}; {escape(run.started_at)}{resumed}",
        ]
    )


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _judged(comparison: Comparison) -> tuple[str, str]:
    """Return the headline of a comparison and the verdict section of a gate."""
    if not comparison.run.has_two_sides:
        return "", ""
    verdict = judge(comparison)
    line = headline(verdict, comparison)
    if comparison.run.kind != "gate":
        return line, ""
    parts = ["### Verdict", verdict_table(verdict), verdict_notes(verdict, comparison)]
    return line, "\n\n".join(parts)


def _details(comparison: Comparison) -> list[str]:
    knees = [
        escape(knee_line(comparison.name_of(side), knee))
        for side, knee in comparison.knees.items()
    ]
    parts = [f"Takeaways:\n\n{bullets([*knees, *takeaways(comparison)])}"]
    costs, limits = cost_table(comparison), limits_table(comparison)
    if costs:
        parts.append(f"### Cost, where both sides passed\n\n{costs}\n\n{_COST_NOTE}")
    if limits:
        parts.append(
            f"### Cost per session, extrapolated to the limits of the box\n\n{limits}\n\n{observed(comparison)}"
        )
    return parts


def _title(run: RunInfo) -> str:
    arms = " → ".join(run.arms)
    if run.kind == "ramp":
        return f"## {arms}: ramp of one build"
    base, branch = (_name(side) for side in run.sides)
    return f"## {arms}: {base} → {branch}"


def _name(side: SideInfo) -> str:
    short = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:12]
    return f"{code(short)}{' + uncommitted changes' if side.dirty else ''}"


def _purity(run: RunInfo) -> str:
    """Describe the difference between the sides, with their arms and environments."""
    base, branch = (side.drive for side in run.sides)
    arms = f"driven by two arms ({base.arm}, {branch.arm})" if base.arm != branch.arm else ""
    if run.purity is Purity.CHANGE:
        return f"**change**: the two sides hold different runtimes{', ' * bool(arms)}{arms}"
    if run.purity is Purity.SETTINGS:
        environments = "in two environments" if base.environment != branch.environment else ""
        differ = " and ".join(part for part in (arms, environments) if part)
        return f"**settings**: the same runtime {differ}"
    return "**A/A**: the same runtime in the same environment; every difference below is noise"


def _side_line(run: RunInfo, side: SideInfo) -> str:
    environment = show_environment(side.drive.environment)
    given = f", with {escape(environment)}" if environment else ""
    subject = f"; runtime {escape(side.subject[:12])}" if side.subject else ""
    driven = f", driven by {side.drive.arm}" if len(run.arms) > 1 else ""
    name = side.side if run.has_two_sides else "build"
    return f"{name}: {_name(side)} — {escape(show_title(side.title))}{subject}{driven}{given}"


def _doubts(comparison: Comparison) -> list[str]:
    texts = [escape(warning.text) for warning in comparison.warnings]
    warnings = f"### Warnings\n\n{bullets(texts)}" if texts else ""
    return [failed_cells(comparison), invalid_cells(comparison), warnings]
