"""What a host is good for, as people read it."""

from collections.abc import Sequence

from harness.doctor import Finding, Mark
from harness.printable import printable

_SIGNS = {Mark.OK: "ok  ", Mark.NOTE: "note", Mark.BAD: "BAD "}


def doctor_text(findings: Sequence[Finding], *, can_run: bool) -> str:
    """Return a line a finding, with what it means and what to do below it, and a last line that sums up."""
    width = max(len(finding.topic) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_SIGNS[finding.mark]}  {finding.topic:<{width}}  {finding.found}")
        indent = " " * (width + 8)
        lines += [f"{indent}{text}" for text in (finding.means,) if text]
        lines += [f"{indent}do: {text}" for text in (finding.do,) if text]
    return (
        "\n".join(printable(line) for line in lines) + f"\n\n{_summary(findings, can_run=can_run)}"
    )


def _summary(findings: Sequence[Finding], *, can_run: bool) -> str:
    if not can_run:
        return "Nothing can be run here: no box works."
    notes = sum(finding.mark is not Mark.OK for finding in findings)
    return f"Cells can be run here{f'; {notes} to be noted' if notes else ''}."
