"""Knee and capacity: two brackets of levels against each other, and what binds each side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.analysis.levels import Capacity, ratio_range
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.model.cells import Cell
from harness.model.nouns import Outcome
from harness.model.units import show_count, show_plural
from harness.outcome.evidence import thread_limit

_BUSY = 0.8
_RESOURCES = {
    Outcome.OOM: "memory",
    Outcome.THREADS: "threads",
    Outcome.FDS: "open files",
    Outcome.ERRORS: "failing sessions",
    Outcome.CRASH: "a crash",
    Outcome.TIMEOUT_STALLED: "a stall",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """Between which two levels a side gives way.

    Args:
        holds: The largest level that it holds; None where it holds none.
        beyond: The smallest level above that it does not hold; None where none was found.
        bad, cells: How many of the side's cells at `beyond` did not hold it, of how many.
        bound_by: What gave way there; empty where nothing did.
        timed_out: Whether one of them ran into the time limit.
    """

    holds: int | None
    beyond: int | None
    bad: int = 0
    cells: int = 0
    bound_by: str = ""
    timed_out: bool = False

    @property
    def was_run(self) -> bool:
        """Whether any level of the side says something."""
        return self.holds is not None or self.beyond is not None

    @property
    def is_confirmed(self) -> bool:
        """Whether 2 of 3 repeats, or as large a part of more, say that it does not hold the level beyond.

        One timeout is enough where no cell held it: it had hundreds of times what a session takes.
        """
        if self.timed_out and self.bad == self.cells:
            return True
        return self.bad >= 2 and self.bad * 3 >= self.cells * 2

    def __str__(self) -> str:
        """Show it: ``4,000–8,000``, ``at least 8,000``, ``below 500``, and a dash where nothing was run."""
        if self.beyond is None:
            return "–" if self.holds is None else f"at least {show_count(self.holds)}"
        top = show_count(self.beyond)
        return f"below {top}" if self.holds is None else f"{show_count(self.holds)}–{top}"


def make_bracket(
    holds: int | None, beyond: int | None, here: Sequence[Cell], is_bad: Callable[[Cell], bool]
) -> Bracket:
    """Make a bracket from the side's cells at the level beyond.

    Args:
        holds: Its lower end.
        beyond: Its upper end.
        here: The cells at `beyond`.
        is_bad: Whether a cell there does not hold the level.
    """
    bad = [cell for cell in here if is_bad(cell)]
    bound_by = what_binds(bad[0]) if bad else ""
    return Bracket(
        holds=holds,
        beyond=beyond,
        bad=len(bad),
        cells=len(here),
        bound_by=bound_by,
        timed_out=any(cell.outcome.is_timeout for cell in bad),
    )


def what_binds(cell: Cell) -> str:
    """Name the resource of which a cell had not enough."""
    named = _RESOURCES.get(cell.outcome)
    if named is not None:
        limit = thread_limit(cell) if cell.outcome is Outcome.THREADS else ""
        return f"{named} ({limit})" if limit else named
    if is_busy(cell):
        return "CPU"
    return "latency" if cell.outcome is Outcome.OK else "time"


def is_busy(cell: Cell) -> bool:
    """Whether the workers of a cell used most of what they can: one process uses one CPU."""
    result, typical = cell.result, cell.evidence.get("cpu-pct")
    if result is not None and result.wall_ms and result.cpu_sec is not None:
        return result.cpu_sec * 1000 >= _BUSY * result.wall_ms * (result.procs or 1)
    given = cell.drive.environment.get("SCALE_PROCS", "") if cell.drive else ""
    processes = int(given) if given.isdigit() else 1
    return isinstance(typical, int | float) and typical >= _BUSY * 100 * processes


def judge_bracket(metric: str, base: Bracket, branch: Bracket) -> MetricVerdict:
    """Compare two brackets: disjoint is a difference, if repeats confirm it; overlapping is inconclusive.

    Args:
        metric: `knee` or `capacity`.
        base: Of the base.
        branch: Of the branch.
    """
    refusal = _refusal(base, branch)
    verdict, why = (Verdict.INCONCLUSIVE, "") if refusal else _compare(base, branch)
    return MetricVerdict(
        metric=metric,
        verdict=verdict,
        base=str(base),
        branch=str(branch),
        change=_ratio(base, branch),
        refusal=refusal,
        why="; ".join(part for part in (why, _binding(base, branch)) if part),
    )


def _refusal(base: Bracket, branch: Bracket) -> str:
    """Say why two brackets cannot be compared at all, whichever way they point."""
    idle = [name for name, side in (("base", base), ("branch", branch)) if not side.was_run]
    if idle:
        return f"no cell was run of the {' and the '.join(idle)}"
    if base.holds is None and branch.holds is None:
        return "neither side holds the lowest level"
    return ""


def _compare(base: Bracket, branch: Bracket) -> tuple[Verdict, str]:
    if _is_below(branch, base):
        return _confirmed(branch, Verdict.REGRESSED, Verdict.INCONCLUSIVE)
    if _is_below(base, branch):
        # a branch that holds all that was tried is no worse, however chancy the base's end was
        is_no_worse = branch.beyond is None
        otherwise = Verdict.NON_INFERIOR if is_no_worse else Verdict.INCONCLUSIVE
        return _confirmed(base, Verdict.IMPROVED, otherwise)
    if (base.holds, base.beyond) == (branch.holds, branch.beyond):
        return Verdict.EQUIVALENT, ""
    where = "higher" if base.beyond is None or branch.beyond is None else "more"
    return Verdict.INCONCLUSIVE, f"the brackets overlap: {where} levels would tell"


def _is_below(low: Bracket, high: Bracket) -> bool:
    return low.beyond is not None and high.holds is not None and low.beyond <= high.holds


def _confirmed(worse: Bracket, verdict: Verdict, otherwise: Verdict) -> tuple[Verdict, str]:
    if worse.is_confirmed:
        return verdict, ""
    top = show_count(worse.beyond or 0)
    seen = f"{worse.bad} of {show_plural(worse.cells, 'cell')}"
    return otherwise, f"C={top} gave way in {seen}, and it takes 2 of 3 to confirm it"


def _binding(base: Bracket, branch: Bracket) -> str:
    if not base.bound_by and not branch.bound_by:
        return ""
    if base.bound_by == branch.bound_by:
        return f"bound by {base.bound_by}"
    if not base.bound_by or not branch.bound_by:
        side, by = ("base", base.bound_by) if base.bound_by else ("branch", branch.bound_by)
        return f"the {side} is bound by {by}"
    return f"bound by {branch.bound_by} instead of {base.bound_by}"


def _ratio(base: Bracket, branch: Bracket) -> str:
    """Show by which factor the branch holds more, as the range that the brackets allow."""
    if base.holds is None or branch.holds is None:
        return ""
    if (base.holds, base.beyond) == (branch.holds, branch.beyond):
        return "none"
    least, most = ratio_range(_capacity(base), _capacity(branch))
    if most is None:
        return f"at least ×{least:.3g}" if least else ""
    return f"×{least:.3g} to ×{most:.3g}" if least else f"at most ×{most:.3g}"


def _capacity(bracket: Bracket) -> Capacity:
    return Capacity(within=bracket.holds, beyond=bracket.beyond)
