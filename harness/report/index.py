"""The index of all runs."""

from collections.abc import Iterable
from urllib.parse import quote

from harness.model.runs import RunReport
from harness.report.markdown import escape, table


def index_text(runs: Iterable[tuple[str, RunReport | None]]) -> str:
    """Return a table with a row for each run.

    Args:
        runs: (folder name, stored report), in the order of the rows; None for a run that cannot be read.
    """
    rows = [_row(name, report) for name, report in runs]
    listing = table(["run", "compared", "levels", "result"], rows, words=("",))
    return f"# Results, the newest first\n\n{listing}\n"


def _row(name: str, report: RunReport | None) -> list[str]:
    link = f"[{escape(name)}]({quote(name)}/table.md)"
    if report is None:
        return [link, "cannot be read", "–", "–"]
    run = report.run
    what = "goals" if run.kind == "goals" else str(run.purity or "one build")
    state = "" if report.complete else " (incomplete)"
    levels = ", ".join(f"{level:,}" for level in run.plan.levels) or "–"
    return [link, f"{what}{state}", levels, escape(str(report.derived.get("in-short", ""))) or "–"]
