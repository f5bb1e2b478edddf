"""Going on with an interrupted run, over fakes."""

from dataclasses import replace

import pytest
from msgspec import structs

from harness.analysis.comparison import compare as derive
from harness.model.errors import UsageError
from harness.model.nouns import Side
from harness.model.request import Request
from harness.report.document import render
from harness.verbs.compare import compare, show_plan
from harness.verbs.ramp import ramp
from tests.builders.model import make_box_info, make_tree
from tests.builders.world import BASE_TREE, BRANCH_IMAGE, FakeWorld, make_request, make_world
from tests.fakes.fake_box import Killed, dies_after
from tests.fakes.fake_repo import FakeRepo
from tests.fakes.fake_store import FakeRun

REQUEST = make_request(500, 1000)


def _interrupted(request: Request = REQUEST, cells: int = 2) -> FakeWorld:
    """Compare until the branch is killed in the cell after so many of its own."""
    fakes = make_world(branch=dies_after(cells))
    with pytest.raises(Killed):
        compare(fakes.world, request)
    fakes.box.by_image = {}
    fakes.progress.lines.clear()
    fakes.box.specs.clear()
    return fakes


def _resumed(fakes: FakeWorld, request: Request = REQUEST) -> Request:
    return replace(request, resume=fakes.store.only.folder)


def _kept(fakes: FakeWorld) -> FakeRun:
    return fakes.store.only


def test_resume_keeps_every_cell_and_runs_what_is_left() -> None:
    """All of C=500 was there: C=1,000 is left, after a check of each side."""
    fakes = _interrupted(cells=2)
    kept = list(_kept(fakes).cells)
    assert [cell.slot.level for cell in kept] == [500] * 4
    compare(fakes.world, _resumed(fakes))
    run = _kept(fakes)
    assert run.cells[: len(kept)] == kept
    assert [level for _, level in fakes.box.levels_run] == [1, 1, *[1000] * 4]
    assert run.complete


def test_resume_numbers_its_cells_on() -> None:
    """Logs are numbered on, so that none is overwritten."""
    fakes = _interrupted()
    compare(fakes.world, _resumed(fakes))
    names = [cell.log for cell in _kept(fakes).cells]
    assert names[0] == "logs/001-base-C500.log"
    assert [name[5:8] for name in names] == [f"{number:03d}" for number in range(1, 9)]


def test_resume_tells_what_it_goes_on_with() -> None:
    """Progress counts the kept cells and names the stored builds."""
    fakes = _interrupted()
    fakes.store.torn = ["an unfinished last line of cells.jsonl, 12 bytes"]
    fakes.repo = FakeRepo(base=BASE_TREE, branch=make_tree(pump="SPEED = 3\n"))
    compare(fakes.world, _resumed(fakes))
    assert fakes.progress.lines[:3] == [
        f"resume {_kept(fakes).folder}: 4 cells kept",
        "build  base and branch as stored, whatever the checkout holds by now",
        "removed an unfinished last line of cells.jsonl, 12 bytes",
    ]


def test_resume_takes_the_stored_plan() -> None:
    """Load and levels are those of the stored run."""
    fakes = _interrupted()
    compare(fakes.world, _resumed(fakes, make_request(7, 9, blocks=2)))
    assert [cell.slot.level for cell in _kept(fakes).cells] == [500] * 4 + [1000] * 4


def test_resumed_run_says_so() -> None:
    """The header shows both times; containers carry the new run id."""
    fakes = _interrupted()
    compare(replace(fakes.world, run_id="esc-2-2-2"), _resumed(fakes))
    run = _kept(fakes)
    (stamp,) = run.run.resumed
    assert f"2026-11-30T12:00:00Z, resumed at {stamp}" in str(run.document)
    assert run.run.run_id == "esc-2-2-2"
    assert {spec.run_id for _, spec in fakes.box.specs} == {"esc-2-2-2"}


def test_pair_that_an_interruption_came_between_is_a_warning() -> None:
    """Only the pair around the interruption gets a warning."""
    fakes = _interrupted(cells=0)  # the base's first cell is there, and its partner is not
    compare(fakes.world, _resumed(fakes))
    run = _kept(fakes)
    warnings = derive(run.run, run.cells, complete=True).warnings
    (stamp,) = run.run.resumed
    assert [warning.text for warning in warnings] == [
        "C=500, block 1, pair 1: the run was interrupted between its two cells and resumed at "
        + stamp
    ]


def test_resume_can_be_interrupted_and_resumed_again() -> None:
    """As often as it takes; each time is told."""
    fakes = _interrupted(cells=1)
    fakes.box.by_image = {BRANCH_IMAGE: dies_after(2)}
    with pytest.raises(Killed):
        compare(fakes.world, _resumed(fakes))
    fakes.box.by_image = {}
    compare(fakes.world, _resumed(fakes))
    run = _kept(fakes)
    assert len(run.run.resumed) == 2
    assert len(run.cells) == 8


def test_resume_of_a_complete_run_names_the_report() -> None:
    """There is nothing left to run."""
    fakes = make_world()
    compare(fakes.world, REQUEST)
    with pytest.raises(UsageError, match=r"is complete — `invoke report results/"):
        compare(fakes.world, _resumed(fakes))


def test_resume_refuses_values_that_no_run_measures() -> None:
    """A figure that was edited by hand ends the call before a cell runs."""
    fakes = _interrupted()
    cells = _kept(fakes).cells
    for at, cell in enumerate(cells):
        assert cell.result is not None
        value = -1.0 if cell.slot.side is Side.BASE else 1.0
        cells[at] = structs.replace(cell, result=structs.replace(cell.result, latency_infl=value))
    with pytest.raises(UsageError, match="holds values that no run measures: math domain error"):
        compare(fakes.world, _resumed(fakes))
    assert _kept(fakes).cells == cells


def test_resume_by_another_verb_names_the_right_one() -> None:
    """A run is resumed by the verb of its kind."""
    fakes = _interrupted()
    with pytest.raises(
        UsageError,
        match=r"is of `invoke compare`, and not of `invoke ramp` — `invoke compare --resume",
    ):
        ramp(fakes.world, _resumed(fakes), None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"engine": "Docker 28.0"}, "engine Docker 27.0 (overlay2) (here Docker 28.0)"),
        ({"box": "watchdog", "holds": ()}, "what it holds cpus, memory, swap, pids, network (here nothing)"),
        ({"host_cpus": 8}, "CPUs of the host 4 (here 8)"),
        ({"host_memory_bytes": 16 << 30}, "memory of the host in bytes 8589934592 (here 17179869184)"),
        ({"cgroup": "v1"}, "cgroup v2 (here v1)"),
        ({"host": "another"}, "host Debian, Linux 6.1, x86_64 (here another)"),
    ],
)  # fmt: skip
def test_resume_refuses_another_box(
    change: dict[str, object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The difference is named, and no cell runs."""
    fakes = _interrupted()
    here = make_box_info(**change)
    monkeypatch.setattr(
        type(fakes.box), "describe", lambda _, name: structs.replace(here, base_image=name)
    )
    with pytest.raises(UsageError) as caught:
        compare(fakes.world, _resumed(fakes))
    assert told in caught.value.what
    assert fakes.box.specs == []
    assert _kept(fakes).run.resumed == ()


def test_resume_builds_again_what_is_gone() -> None:
    """Both builds are made again from the same trees, and the cells run there."""
    fakes = _interrupted()
    fakes.box.built.clear()
    compare(fakes.world, _resumed(fakes))
    assert len(fakes.box.built) == 2
    assert [line for line in fakes.progress.lines if line.endswith("built")] != []
    assert _kept(fakes).complete


@pytest.mark.parametrize(
    ("base", "branch", "told"),
    [
        (None, make_tree(pump="SPEED = 3\n"), "the branch has changed since, and its build is gone: tree "),
        (make_tree(pump="SPEED = 0\n"), None, "the base cannot be built again as it was: tree "),
    ],
)  # fmt: skip
def test_resume_refuses_a_build_of_another_tree(base: object, branch: object, told: str) -> None:
    """A lost build whose tree has changed is refused, with both hashes."""
    fakes = _interrupted()
    fakes.box.built.clear()
    trees = {"base": base, "branch": branch}
    kept = {"base": BASE_TREE, "branch": make_tree(pump="SPEED = 2\n")}
    fakes.repo = FakeRepo(**{name: tree or kept[name] for name, tree in trees.items()})  # type: ignore[arg-type]  # a table of trees
    with pytest.raises(UsageError) as caught:
        compare(fakes.world, _resumed(fakes))
    assert told in caught.value.what
    assert " → " in caught.value.what
    assert fakes.box.built == []


PLAN = """\
resumed: the run of 2026-11-30T12:00:00Z (the merge-base with main)
base:
  commit  ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e  Pump by polling
"""


def test_dry_run_of_a_resume_shows_what_is_left() -> None:
    """Both builds and the remaining cells are shown; nothing runs."""
    fakes = _interrupted()
    fakes.box.built.pop()
    shown = show_plan(fakes.world, _resumed(fakes))
    assert shown.startswith(PLAN)
    assert "(built already)" in shown
    assert "(to be built)" in shown
    assert shown.splitlines()[-5:] == [
        "4 cells kept, 4 left if none fails:",
        "    1. C=1,000 branch, block 1, pair 1",
        "    2. C=1,000 base, block 1, pair 1",
        "    3. C=1,000 base, block 1, pair 2",
        "    4. C=1,000 branch, block 1, pair 2",
    ]
    assert fakes.box.specs == []
    assert _kept(fakes).run.resumed == ()


def test_resumed_table_is_that_of_an_undisturbed_run() -> None:
    """The results differ only in times and in the note of the interruption."""
    fakes = _interrupted()
    compare(fakes.world, _resumed(fakes))
    run = _kept(fakes)
    whole = make_world()
    wanted = compare(whole.world, REQUEST)
    plain = structs.replace(run.run, resumed=())
    assert render(derive(plain, run.cells, complete=True)) == wanted
    assert {side.side for side in run.run.sides} == set(Side)
