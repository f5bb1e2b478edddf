"""The index of all runs."""

from collections.abc import Sequence

from harness.compare import Comparison
from harness.report.lines import knee_line
from harness.report.markdown import escape, table


def index_text(runs: Sequence[tuple[str, Comparison | None]]) -> str:
    """Return a row a run.

    Args:
        runs: (folder name, comparison), None for one that cannot be read.
    """
    rows = [_row(name, comparison) for name, comparison in runs]
    listing = table(["run", "compared", "levels", "knees"], rows, words=("",))
    return f"# Results, the newest first\n\n{listing}\n"


def _row(name: str, comparison: Comparison | None) -> list[str]:
    link = f"[{escape(name)}]({name}/table.md)"
    if comparison is None:
        return [link, "cannot be read", "–", "–"]
    run = comparison.run
    what = str(run.purity) if run.purity else "one build"
    state = "" if comparison.complete else " (incomplete)"
    knees = "; ".join(
        knee_line(comparison.name_of(side), knee) for side, knee in comparison.knees.items()
    )
    return [link, f"{what}{state}", ", ".join(f"{level:,}" for level in run.levels), escape(knees)]
