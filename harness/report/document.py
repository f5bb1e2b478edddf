"""The markdown document of a run: what was compared, the table, what it says, and the doubts."""

from collections.abc import Sequence

from harness.analysis.comparison import Comparison
from harness.analysis.verdict.overall import judge
from harness.model.nouns import Purity
from harness.model.runs import RunInfo, SideInfo
from harness.model.units import show_bytes
from harness.report.cells import endings, invalid_cells
from harness.report.lines import knee_line, show_caps, show_title
from harness.report.markdown import code, escape
from harness.report.slopes import limits_table, observed
from harness.report.tables import cost_table, levels_table
from harness.report.takeaways import takeaways
from harness.report.verdict import headline, verdict_notes, verdict_table


def render(comparison: Comparison) -> str:
    """Return the whole document, ending in a newline: words first, then the tables, the details, and the doubts."""
    run = comparison.run
    line, verdict = _judged(comparison)
    parts = [_title(run), line, header(run), levels_table(comparison), verdict]
    return _joined([*parts, *_details(comparison), _doubts(comparison)])


def render_summary(comparison: Comparison) -> str:
    """Return what a pull request is given: the verdict and its tables, all else folded away."""
    run = comparison.run
    line, verdict = _judged(comparison)
    folded = _joined([header(run), *_details(comparison)])
    fold = (
        f"<details><summary>How it was measured, and the details</summary>\n\n{folded}\n</details>"
    )
    return _joined(
        [_title(run), line, levels_table(comparison), verdict, fold, _doubts(comparison)]
    )


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _judged(comparison: Comparison) -> tuple[str, str]:
    """Return the line that comes first, which only two sides have, and the verdict's section, which only a gate has."""
    if not comparison.run.has_two_sides:
        return "", ""
    verdict = judge(comparison)
    line = headline(verdict, comparison)
    if comparison.run.kind != "gate":
        return line, ""
    parts = ["### Verdict", verdict_table(verdict), verdict_notes(verdict, comparison)]
    return line, "\n\n".join(parts)


def _details(comparison: Comparison) -> list[str]:
    parts = [_takeaways(comparison)]
    costs, limits = cost_table(comparison), limits_table(comparison)
    if costs:
        parts.append(f"### Cost, where both sides passed\n\n{costs}\n\n{_COST_NOTE}")
    if limits:
        parts.append(
            f"### What a session adds, and how far that goes\n\n{limits}\n\n{observed(comparison)}"
        )
    return parts


_COST_NOTE = (
    "Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. "
    "Two pairs resolve little; an interval that spans 0 % shows no difference."
)


def _title(run: RunInfo) -> str:
    arms = " → ".join(run.arms)
    if run.kind == "ramp":
        return f"## {arms}: ramp of one build"
    base, branch = (_name(side) for side in run.sides)
    return f"## {arms}: {base} → {branch}"


def _name(side: SideInfo) -> str:
    short = side.commit[:7] if side.commit else side.image.removeprefix("sha256:")[:12]
    return f"{code(short)}{' + uncommitted changes' if side.dirty else ''}"


def header(run: RunInfo) -> str:
    """Return what was compared or measured, under which load and caps, and where."""
    load, box = run.load, run.box
    lines = [_side_line(run, side) for side in run.sides]
    if run.purity is not None:
        lines.append(f"Compared: {_purity(run)} ({escape(run.how)})")
    extra = f", pump polls each {load.qsleep_ms} ms" if load.qsleep_ms else ""
    state = f", {load.state_kb} KB of state a session" if load.state_kb else ""
    lines.append(
        f"Load: {load.turns} turns, ttft {load.ttft_ms} ms, {load.tokens} tokens at {load.tok_ms} ms{extra}{state}"
    )
    lines.append(f"Caps: {show_caps(run.caps, box)}")
    lines.append(
        f"Box: {escape(box.box)}, {escape(box.engine)}, cgroup {escape(box.cgroup)}, base image {escape(box.base_image)}"
    )
    resumed = f", resumed at {escape(', '.join(run.resumed))}" if run.resumed else ""
    lines.append(
        f"Host: {escape(box.host)}, {box.host_cpus} CPUs, {show_bytes(box.host_memory_bytes)}; {escape(run.started_at)}{resumed}"
    )
    return "\n".join(f"- {line}" for line in lines)


def _purity(run: RunInfo) -> str:
    """Say what differs between the sides, the arms and the environments included."""
    base, branch = run.sides
    arms = (
        f"driven by two arms ({base.drive.arm}, {branch.drive.arm})" if len(run.arms) > 1 else ""
    )
    if run.purity is Purity.CHANGE:
        return f"**change**: the two sides hold different runtimes{', ' * bool(arms)}{arms}"
    if run.purity is Purity.SETTINGS:
        environments = (
            "in two environments" if base.drive.environment != branch.drive.environment else ""
        )
        differ = " and ".join(part for part in (arms, environments) if part)
        return f"**settings**: the same runtime {differ}"
    return "**A/A**: the same runtime in the same environment; every difference below is noise"


def _side_line(run: RunInfo, side: SideInfo) -> str:
    environment = " ".join(
        f"{name}={value}" for name, value in sorted(side.drive.environment.items())
    )
    given = f", with {escape(environment)}" if environment else ""
    subject = f"; runtime {escape(side.subject[:12])}" if side.subject else ""
    driven = f", driven by {side.drive.arm}" if len(run.arms) > 1 else ""
    name = side.side if run.has_two_sides else "build"
    return f"{name}: {_name(side)} — {escape(show_title(side.title))}{subject}{driven}{given}"


def _takeaways(comparison: Comparison) -> str:
    lines = takeaways(comparison)
    knees = [
        escape(knee_line(comparison.name_of(side), knee))
        for side, knee in comparison.knees.items()
    ]
    return "Takeaways:\n\n" + "\n".join(f"- {line}" for line in (*knees, *lines))


def _doubts(comparison: Comparison) -> str:
    lines = "\n".join(f"- {escape(warning.text)}" for warning in comparison.warnings)
    warnings = f"### Warnings\n\n{lines}" if lines else ""
    parts = (endings(comparison), invalid_cells(comparison), warnings)
    return "\n\n".join(part for part in parts if part)
