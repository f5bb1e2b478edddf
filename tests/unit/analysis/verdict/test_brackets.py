"""Verdicts on knee and capacity."""

import pytest
from msgspec import structs

from harness.analysis.verdict.brackets import Bracket, find_bottleneck, judge_bracket, make_bracket
from harness.analysis.verdict.kinds import Verdict
from harness.model.cells import Cell
from harness.model.nouns import Arm, Drive, Outcome, Side
from tests.builders.model import make_cell, ok_cell


def _bracket(
    holds: int | None, beyond: int | None, bad: int = 2, cells: int = 2, by: str = "CPU"
) -> Bracket:
    bound_by = by if beyond else ""
    return Bracket(holds=holds, beyond=beyond, bad=bad, cells=cells, bound_by=bound_by)


HIGH = _bracket(4000, 8000)


def test_bracket_that_is_disjoint_below_is_a_regression() -> None:
    """It shows both brackets, their ratio, and the resource that ran out."""
    judged = judge_bracket("capacity", HIGH, _bracket(1000, 2000, by="threads"))
    assert (judged.verdict, judged.is_gated) == (Verdict.REGRESSED, True)
    assert (judged.base, judged.branch) == ("4,000–8,000", "1,000–2,000")
    assert judged.change == "×0.125 to ×0.5"
    assert judged.why == "bound by threads instead of CPU"


def test_bracket_that_is_disjoint_above_is_an_improvement() -> None:
    """Touching brackets are disjoint: the base failed where the branch holds."""
    judged = judge_bracket("knee", _bracket(2000, 4000), _bracket(4000, 8000))
    assert (judged.verdict, judged.why) == (Verdict.IMPROVED, "bound by CPU")
    assert judged.change == "×1 to ×4"


@pytest.mark.parametrize(
    ("base", "branch", "shown", "change"),
    [
        (HIGH, _bracket(8000, None), ("4,000–8,000", "at least 8,000"), "at least ×1"),
        (_bracket(8000, None), HIGH, ("at least 8,000", "4,000–8,000"), "at most ×1"),
        (_bracket(None, 500), _bracket(500, 1000), ("below 500", "500–1,000"), ""),
        (_bracket(500, 1000), _bracket(None, 500), ("500–1,000", "below 500"), ""),
    ],
)
def test_bracket_may_be_open_at_either_end(
    base: Bracket, branch: Bracket, shown: tuple[str, str], change: str
) -> None:
    """A side that holds all levels, or none, is compared too."""
    judged = judge_bracket("knee", base, branch)
    assert judged.verdict in {Verdict.REGRESSED, Verdict.IMPROVED}
    assert ((judged.base, judged.branch), judged.change) == (shown, change)


@pytest.mark.parametrize(
    ("bad", "cells", "confirmed"),
    [(1, 1, False), (1, 2, False), (2, 2, True), (2, 3, True), (3, 5, False), (6, 8, True)],
)
def test_bracket_is_confirmed_by_two_of_three(bad: int, cells: int, *, confirmed: bool) -> None:
    """One failed cell of one or two may be chance."""
    low = _bracket(1000, 2000, bad, cells)
    expected = Verdict.REGRESSED if confirmed else Verdict.INCONCLUSIVE
    assert judge_bracket("knee", HIGH, low).verdict is expected
    expected = Verdict.IMPROVED if confirmed else Verdict.INCONCLUSIVE
    assert judge_bracket("knee", low, HIGH).verdict is expected


@pytest.mark.parametrize(("cells", "confirmed"), [(1, True), (2, False), (3, False)])
def test_bracket_is_confirmed_by_one_timeout_where_no_cell_held(
    cells: int, *, confirmed: bool
) -> None:
    """A second one takes ten minutes; beside a cell that held, one is not enough."""
    late = make_cell(outcome=Outcome.TIMEOUT_PROGRESSING)
    here = [late, *[make_cell()] * (cells - 1)]
    low = make_bracket(250, 500, here, lambda cell: cell.outcome is not Outcome.OK)
    assert low.is_confirmed is confirmed
    expected = Verdict.REGRESSED if confirmed else Verdict.INCONCLUSIVE
    assert judge_bracket("knee", HIGH, low).verdict is expected


def test_bracket_of_a_branch_that_holds_all_levels_is_no_worse() -> None:
    """It is no worse even if the base failed by chance; swapped, it is open."""
    low, all_of_it = _bracket(1000, 2000, 1, 1, "memory"), _bracket(8000, None)
    judged = judge_bracket("knee", low, all_of_it)
    assert judged.verdict is Verdict.NON_INFERIOR
    assert judged.why.startswith("C=2,000 failed in 1 of 1 cell; 2 of 3 would confirm it")
    assert judge_bracket("knee", all_of_it, low).verdict is Verdict.INCONCLUSIVE


def test_bracket_that_is_not_confirmed_names_its_level() -> None:
    """The user can run this level again."""
    judged = judge_bracket("knee", HIGH, _bracket(1000, 2000, 1, 1, "memory"))
    assert judged.why == (
        "C=2,000 failed in 1 of 1 cell; 2 of 3 would confirm it; bound by memory instead of CPU"
    )


@pytest.mark.parametrize(
    ("base", "branch", "why"),
    [
        (HIGH, HIGH, "bound by CPU"),
        (HIGH, _bracket(4000, 8000, by="memory"), "bound by memory instead of CPU"),
        (_bracket(8000, None), _bracket(8000, None), ""),
    ],
)
def test_bracket_that_is_the_same_is_equivalent(base: Bracket, branch: Bracket, why: str) -> None:
    """The resource that ran out may change."""
    judged = judge_bracket("knee", base, branch)
    assert (judged.verdict, judged.change, judged.why) == (Verdict.EQUIVALENT, "none", why)


@pytest.mark.parametrize(
    ("base", "branch", "change", "why"),
    [
        (HIGH, _bracket(6000, 8000), "×0.75 to ×2", "run more levels; bound by CPU"),
        (
            HIGH,
            _bracket(4000, None),
            "at least ×0.5",
            "run higher levels; the base is bound by CPU",
        ),
        (_bracket(4000, None), _bracket(8000, None), "", "run higher levels"),
        (
            _bracket(4000, None),
            HIGH,
            "at most ×2",
            "run higher levels; the branch is bound by CPU",
        ),
    ],
)
def test_bracket_that_overlaps_is_inconclusive(
    base: Bracket, branch: Bracket, change: str, why: str
) -> None:
    """Each side may hold more, and the verdict names the levels to run."""
    judged = judge_bracket("knee", base, branch)
    assert (judged.verdict, judged.change) == (Verdict.INCONCLUSIVE, change)
    assert judged.why == f"the brackets overlap: {why}"


NOTHING = Bracket(holds=None, beyond=None)


@pytest.mark.parametrize(
    ("base", "branch", "refusal"),
    [
        (NOTHING, HIGH, "the base has no valid cell"),
        (HIGH, NOTHING, "the branch has no valid cell"),
        (NOTHING, NOTHING, "the base and the branch have no valid cell"),
        (_bracket(None, 500), _bracket(None, 500), "neither side holds the lowest level"),
    ],
)
def test_bracket_without_levels_is_not_gated(base: Bracket, branch: Bracket, refusal: str) -> None:
    """Below the lowest level, or without cells, there is nothing to compare."""
    judged = judge_bracket("knee", base, branch)
    assert (judged.verdict, judged.refusal) == (Verdict.INCONCLUSIVE, refusal)
    assert str(NOTHING) == "–"


@pytest.mark.parametrize(
    ("base", "branch", "why"),
    [
        (_bracket(8000, None), HIGH, "the branch is bound by CPU"),
        (HIGH, _bracket(8000, None), "the base is bound by CPU"),
    ],
)
def test_bracket_names_the_one_side_that_is_bound(
    base: Bracket, branch: Bracket, why: str
) -> None:
    """The other side has not failed."""
    assert judge_bracket("knee", base, branch).why == why


def test_bracket_is_made_of_the_cells_at_its_upper_end() -> None:
    """It counts the bad cells, and the first of them names the resource."""
    here = [make_cell(), make_cell(outcome=Outcome.OOM), make_cell(outcome=Outcome.THREADS)]
    made = make_bracket(250, 500, here, lambda cell: cell.outcome is not Outcome.OK)
    assert made == Bracket(holds=250, beyond=500, bad=2, cells=3, bound_by="memory")
    assert make_bracket(500, None, [], lambda _: True) == Bracket(holds=500, beyond=None)


def _ended(**measured: object) -> Cell:
    return ok_cell(Side.BASE, 500, measured)


def _late(pct: float | None = None, environment: dict[str, str] | None = None) -> Cell:
    cell = make_cell(outcome=Outcome.TIMEOUT_PROGRESSING)
    evidence = {} if pct is None else {"cpu-pct": pct}
    return structs.replace(
        cell, evidence=evidence, drive=Drive(arm=Arm.SC_MEM, environment=environment or {})
    )


@pytest.mark.parametrize(
    ("cell", "resource"),
    [
        (make_cell(outcome=Outcome.OOM), "memory"),
        (make_cell(outcome=Outcome.THREADS), "threads"),
        (
            make_cell(
                outcome=Outcome.THREADS,
                evidence={"supervisor": {"pids-max": 64, "pids-peak": 64}},
            ),
            "threads (pids limit)",
        ),
        (make_cell(outcome=Outcome.FDS), "open files"),
        (make_cell(outcome=Outcome.ERRORS), "failing sessions"),
        (make_cell(outcome=Outcome.CRASH), "a crash"),
        (make_cell(outcome=Outcome.TIMEOUT_STALLED), "a stall"),
        (_late(80.0), "CPU"),
        (_late(79.9), "time"),
        (_late(), "time"),
        (_late(150.0, environment={"SCALE_PROCS": "2"}), "time"),
        (_late(160.0, environment={"SCALE_PROCS": "2"}), "CPU"),
        (_ended(wall_ms=1000.0, cpu_sec=0.8), "CPU"),
        (_ended(wall_ms=1000.0, cpu_sec=0.79), "latency"),
        (_ended(wall_ms=1000.0, cpu_sec=0.8, procs=2), "latency"),
        (_ended(wall_ms=1000.0), "latency"),
    ],
)
def test_bottleneck_is_named(cell: Cell, resource: str) -> None:
    """A late cell used up its CPUs, or waited; one process can use one CPU."""
    assert find_bottleneck(cell) == resource
