"""Verdicts on knee and capacity, and the resource that ran out."""

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
    """The two levels between which a side fails.

    Args:
        holds: The largest level that the side holds; None without one.
        beyond: The smallest level above that it does not hold; None without one.
        bad, cells: The number of the side's cells at `beyond` that failed, and of all of them.
        bound_by: The resource that ran out there; empty where none did.
        timed_out: True if one of them timed out.
    """

    holds: int | None
    beyond: int | None
    bad: int = 0
    cells: int = 0
    bound_by: str = ""
    timed_out: bool = False

    @property
    def was_run(self) -> bool:
        """True if the side has a measured level."""
        return self.holds is not None or self.beyond is not None

    @property
    def is_confirmed(self) -> bool:
        """True if at least 2 cells, and two thirds of all, fail at the level beyond.

        One timeout is enough if no cell held the level: a cell may take hundreds of times as
        long as a session.
        """
        if self.timed_out and self.bad == self.cells:
            return True
        return self.bad >= 2 and self.bad * 3 >= self.cells * 2

    def __str__(self) -> str:
        """Show ``4,000–8,000``, ``at least 8,000``, ``below 500`` or ``–``."""
        if self.beyond is None:
            return "–" if self.holds is None else f"at least {show_count(self.holds)}"
        top = show_count(self.beyond)
        return f"below {top}" if self.holds is None else f"{show_count(self.holds)}–{top}"


def make_bracket(
    holds: int | None, beyond: int | None, here: Sequence[Cell], is_bad: Callable[[Cell], bool]
) -> Bracket:
    """Return the bracket between two levels, from the cells `here` at the upper one."""
    bad = [cell for cell in here if is_bad(cell)]
    return Bracket(
        holds=holds,
        beyond=beyond,
        bad=len(bad),
        cells=len(here),
        bound_by=find_bottleneck(bad[0]) if bad else "",
        timed_out=any(cell.outcome.is_timeout for cell in bad),
    )


def find_bottleneck(cell: Cell) -> str:
    """Return the name of the resource that limited a cell."""
    resource = _RESOURCES.get(cell.outcome)
    if resource is not None:
        limit = thread_limit(cell) if cell.outcome is Outcome.THREADS else ""
        return f"{resource} ({limit})" if limit else resource
    if _is_busy(cell):
        return "CPU"
    return "latency" if cell.outcome is Outcome.OK else "time"


def _is_busy(cell: Cell) -> bool:
    """Return whether the workers used most of their CPUs; each process can use one."""
    result, cpu_pct = cell.result, cell.evidence.get("cpu-pct")
    if result is not None and result.wall_ms and result.cpu_sec is not None:
        return result.cpu_sec * 1000 >= _BUSY * result.wall_ms * (result.procs or 1)
    shards = cell.drive.environment.get("SCALE_PROCS", "") if cell.drive else ""
    processes = int(shards) if shards.isdigit() else 1
    return isinstance(cpu_pct, int | float) and cpu_pct >= _BUSY * 100 * processes


def judge_bracket(metric: str, base: Bracket, branch: Bracket) -> MetricVerdict:
    """Compare two brackets; disjoint and confirmed ones differ."""
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
    """Return why two brackets cannot be compared; empty where they can."""
    idle = [name for name, side in (("base", base), ("branch", branch)) if not side.was_run]
    if idle:
        return f"the {' and the '.join(idle)} {'have' if len(idle) > 1 else 'has'} no valid cell"
    if base.holds is None and branch.holds is None:
        return "neither side holds the lowest level"
    return ""


def _compare(base: Bracket, branch: Bracket) -> tuple[Verdict, str]:
    if _is_below(branch, base):
        return _confirm(branch, Verdict.REGRESSED, Verdict.INCONCLUSIVE)
    if _is_below(base, branch):
        # A branch that holds every level is no worse, even if chance ended the base.
        is_no_worse = branch.beyond is None
        otherwise = Verdict.NON_INFERIOR if is_no_worse else Verdict.INCONCLUSIVE
        return _confirm(base, Verdict.IMPROVED, otherwise)
    if (base.holds, base.beyond) == (branch.holds, branch.beyond):
        return Verdict.EQUIVALENT, ""
    levels = "higher" if base.beyond is None or branch.beyond is None else "more"
    return Verdict.INCONCLUSIVE, f"the brackets overlap: run {levels} levels"


def _is_below(low: Bracket, high: Bracket) -> bool:
    return low.beyond is not None and high.holds is not None and low.beyond <= high.holds


def _confirm(worse: Bracket, verdict: Verdict, otherwise: Verdict) -> tuple[Verdict, str]:
    if worse.is_confirmed:
        return verdict, ""
    top, cells = show_count(worse.beyond or 0), show_plural(worse.cells, "cell")
    return otherwise, f"C={top} failed in {worse.bad} of {cells}; 2 of 3 would confirm it"


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
    """Show the range of ratios of branch to base that the brackets allow."""
    if base.holds is None or branch.holds is None:
        return ""
    ends = [Capacity(within=side.holds, beyond=side.beyond) for side in (base, branch)]
    if ends[0] == ends[1]:
        return "none"
    least, most = ratio_range(*ends)
    if most is None:
        return f"at least ×{least:.3g}" if least else ""
    return f"×{least:.3g} to ×{most:.3g}" if least else f"at most ×{most:.3g}"
