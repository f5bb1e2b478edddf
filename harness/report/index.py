"""The index of all runs."""

from collections.abc import Sequence
from urllib.parse import quote

from harness.compare import Comparison
from harness.goals import GoalTable
from harness.report.goals import tally
from harness.report.lines import knee_line
from harness.report.markdown import escape, table


def index_text(runs: Sequence[tuple[str, Comparison | GoalTable | None]]) -> str:
    """Return a row a run.

    Args:
        runs: (folder name, what its cells say), None for one that cannot be read.
    """
    rows = [_row(name, said) for name, said in runs]
    listing = table(["run", "compared", "levels", "knees"], rows, words=("",))
    return f"# Results, the newest first\n\n{listing}\n"


def _row(name: str, said: Comparison | GoalTable | None) -> list[str]:
    link = f"[{escape(name)}]({quote(name)}/table.md)"
    if said is None:
        return [link, "cannot be read", "–", "–"]
    return [link, *(_compared(said) if isinstance(said, Comparison) else _goals(said))]


def _goals(table: GoalTable) -> list[str]:
    return [f"goals{_state(complete=table.complete)}", "–", tally(table)]


def _state(*, complete: bool) -> str:
    return "" if complete else " (incomplete)"


def _compared(comparison: Comparison) -> list[str]:
    run = comparison.run
    what = str(run.purity) if run.purity else "one build"
    state = _state(complete=comparison.complete)
    knees = "; ".join(
        knee_line(comparison.name_of(side), knee) for side, knee in comparison.knees.items()
    )
    return [f"{what}{state}", ", ".join(f"{level:,}" for level in run.levels), escape(knees)]
