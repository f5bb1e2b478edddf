"""A comparison whose builds, cells or host fail."""

from collections.abc import Callable

import pytest

from harness.model.cells import Subject
from harness.model.errors import (
    BaseCannotRunError,
    BranchCannotRunError,
    BuildError,
    DisturbedError,
    HarnessError,
    RepoError,
)
from harness.model.nouns import Outcome, Side
from harness.outcome.observation import Observation
from harness.verbs.compare import compare
from harness.verbs.ports import CellSpec
from tests.builders.model import make_observation, make_result
from tests.builders.world import FakeWorld, make_request, make_world
from tests.fakes.fake_box import FakeBox, fails_with, holds_up_to


@pytest.mark.parametrize(
    ("side", "kind"), [("base", BaseCannotRunError), ("branch", BranchCannotRunError)]
)
def test_compare_stops_when_a_side_cannot_run(side: str, kind: type[HarnessError]) -> None:
    """The error names the side and holds the probe's last lines; nothing is stored."""
    dies = fails_with(Outcome.CRASH)
    fakes = make_world(base=dies) if side == "base" else make_world(branch=dies)
    with pytest.raises(kind) as caught:
        compare(fakes.world, make_request(1000))
    commit = "ba5eba5" if side == "base" else "b4a7b4a"
    assert str(caught.value) == (
        f"the {side} {commit} cannot run the probe at C=1: crash, exit code 1 without a RESULT"
        " — nothing was measured\n  | Traceback\n  | ImportError: no pump"
    )
    assert fakes.store.only.cells == []


def test_compare_stops_when_the_host_cannot_run_the_check() -> None:
    """An engine that fails in the first cell says nothing about the side."""
    fakes = make_world(base=fails_with(Outcome.INVALID))
    with pytest.raises(DisturbedError) as caught:
        compare(fakes.world, make_request(1000))
    assert caught.value.what == "the first cell of the base is invalid: the engine fell over"


def test_compare_tells_of_a_check_that_is_invalid_and_runs_it_once_more() -> None:
    """A check is no part of the results; that it was disturbed is told all the same."""
    answers = iter([fails_with(Outcome.INVALID)])

    def behave(image: str, spec: CellSpec) -> Observation:
        return next(answers, holds_up_to(9999))(image, spec)

    fakes = make_world(base=behave)
    compare(fakes.world, make_request(1000))
    told = "C=1       base   check: invalid: the engine fell over; will be retried (1.0 s)"
    assert fakes.progress.lines.count(told) == 1


def test_compare_counts_a_cell_that_is_late_with_cpu_to_spare_twice() -> None:
    """The first run is invalid, the second is in the table with a warning under it."""
    late = {"cpu_sec": 3.0, "wall_ms": 10_000.0, "mock_lag_p99_ms": 120.0}
    fakes = make_world(branch=holds_up_to(9999, **late), base=holds_up_to(9999))
    shown = compare(fakes.world, make_request(1000))
    late_line = "the simulated model was late by 120 ms (99th percentile) while the worker was only 30 % busy"
    assert shown.count(f"| {late_line} | retried: ok |") == 2, "and not of the check"
    assert shown.count(f"- C=1,000 branch: {late_line}; the cell counts") == 2
    attempts = [cell.slot.attempt for cell in fakes.store.only.cells if cell.slot.side == "branch"]
    assert attempts == [0, 1, 0, 1]


def test_compare_refuses_a_cell_that_ran_other_code() -> None:
    """The run ends there; the cell is kept, and enters no figure."""

    def behave(_image: str, spec: CellSpec) -> Observation:
        loaded = Subject(path="/usr/lib/escapement", hash="99" * 32)
        subject = loaded if spec.level > 1 else None
        return make_observation(make_result(spec.level, subject=subject))

    fakes = make_world(branch=behave)
    with pytest.raises(DisturbedError, match="loaded a runtime with hash 999999999999"):
        compare(fakes.world, make_request(1000))
    run = fakes.store.only
    assert [cell.slot.side for cell in run.cells] == [Side.BASE, Side.BRANCH]
    assert [cell.slot.side for cell in run.comparison.invalid] == [Side.BRANCH]
    assert [row.cells[Side.BRANCH] for row in run.comparison.rows] == [[]]


def test_compare_is_disturbed_by_a_cell_that_is_invalid_twice() -> None:
    """The results are written whole, and the run fails all the same."""
    fakes = make_world(base=fails_with(Outcome.INVALID, at=1000))
    with pytest.raises(DisturbedError, match="a cell was invalid twice: the results in results/"):
        compare(fakes.world, make_request(1000, 2000))
    run = fakes.store.only
    assert run.completes[-1]
    outcomes = [(cell.slot.side.value, cell.outcome.value) for cell in run.cells]
    assert outcomes[:4] == [
        ("base", "invalid"),
        ("base", "invalid"),
        ("branch", "ok"),
        ("branch", "ok"),
    ]


def test_compare_goes_on_after_a_cell_that_is_invalid_once() -> None:
    """The second run of the cell stands for it."""
    answers = iter([Outcome.OK, Outcome.INVALID])
    holds, breaks = holds_up_to(9999), fails_with(Outcome.INVALID)

    def behave(image: str, spec: CellSpec) -> Observation:
        answer = next(answers, Outcome.OK)
        return (holds if answer is Outcome.OK else breaks)(image, spec)

    fakes = make_world(base=behave)
    shown = compare(fakes.world, make_request(1000))
    assert "| 1,000 | base   |         1 | the engine fell over | retried: ok |" in shown
    assert len(fakes.store.only.cells) == 5


def _interrupt(_image: str, spec: CellSpec) -> Observation:
    if spec.level > 1000:
        raise KeyboardInterrupt
    return make_observation(make_result(spec.level))


def test_compare_keeps_what_was_measured_when_it_is_interrupted() -> None:
    """Ctrl-C in a cell leaves the cells before it, marked incomplete."""
    fakes = make_world(base=_interrupt, branch=_interrupt)
    with pytest.raises(KeyboardInterrupt):
        compare(fakes.world, make_request(1000, 2000))
    run = fakes.store.only
    assert len(run.cells) == 4
    assert run.completes == [False] * 4
    assert "- the run was interrupted" in str(run.document)
    assert fakes.progress.lines[-1] == (
        f"the finished cells are in {run.folder}; `invoke compare --resume {run.folder}` continues it"
    )


def test_compare_promises_nothing_when_it_is_interrupted_before_the_first_cell() -> None:
    """No folder is named before the first cell."""

    def interrupt(_image: str, _order: CellSpec) -> Observation:
        raise KeyboardInterrupt

    fakes = make_world(base=interrupt)
    with pytest.raises(KeyboardInterrupt):
        compare(fakes.world, make_request(1000))
    assert fakes.progress.lines[-1].startswith("cells ")


@pytest.mark.parametrize(
    ("break_it", "kind"),
    [
        (lambda fakes: setattr(fakes, "box", FakeBox(unbuildable=(Side.BASE,))), BuildError),
        (lambda fakes: setattr(fakes.repo, "find_sides", _no_sides), RepoError),
    ],
)
def test_compare_that_cannot_begin_leaves_nothing(
    break_it: Callable[[FakeWorld], None], kind: type[HarnessError]
) -> None:
    """Without both builds there is no run, no folder and no worktree."""
    fakes = make_world()
    break_it(fakes)
    with pytest.raises(kind):
        compare(fakes.world, make_request(1000))
    assert fakes.store.runs == {}
    assert fakes.repo.open == []


def _no_sides(**_: object) -> None:
    msg = "HEAD and main have no merge-base"
    raise RepoError(msg)
