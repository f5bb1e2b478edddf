"""The comparison from end to end, over fakes."""

import pytest

from harness.model.nouns import Load, Outcome, Purity, Side
from harness.verbs.compare import compare
from harness.verbs.ports import CellSpec
from tests.builders.world import (
    BASE_IMAGE,
    BASE_TREE,
    BRANCH_IMAGE,
    RUN_ID,
    FakeWorld,
    make_request,
    make_world,
)
from tests.fakes.fake_box import holds_up_to
from tests.fakes.fake_repo import FakeRepo

TABLE = """\
## sc-mem: `ba5eba5` → `b4a7b4a`

Exploratory (not a gate) — improved: capacity below 1,000 → at least 4,000, the base is bound by latency; peak-threads 2,000 → 8, -1,992; cpu-ms/turn -50 % [-50, -50]; latency-infl -50 % [-50, -50]; no judged metric is worse by more than its margin

- base: `ba5eba5` — Pump by polling; runtime 303b765f335b
- branch: `b4a7b4a` — Pump by waking; runtime 5a4f9f45121a
- Compared: **change**: the two sides hold different runtimes (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image fake-base:1
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:00:00Z

|   C (sessions) |   base peak-threads | base outcome                                                                      |   branch peak-threads | branch outcome              |
|---------------:|--------------------:|:----------------------------------------------------------------------------------|----------------------:|:----------------------------|
|          1,000 |               2,000 | ok — 3.00× latency-infl                                                           |                 **8** | ok — 1.50× latency-infl     |
|          2,000 |              ~4,000 | **DIED — oom: out of memory at 2 GiB, its cgroup's oom_kill rose** (2 of 2 cells) |                 **8** | **ok** — 1.50× latency-infl |
|          4,000 |                   – | –                                                                                 |                     8 | ok — 1.50× latency-infl     |

Takeaways:

- base: the knee is between C=1,000 and C=2,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)
- branch: no knee up to C=4,000
- **base collapses at C=2,000 (oom); branch holds at least 4,000.**
- Threads per session: branch 0 [0, 0].
- KiB of memory per session: branch 0 [0, 0].
- CPU per turn: -50.0 % [-50.0 %, -50.0 %] on the branch at C=1,000, the highest level that both pass.
- Latency inflation: -50.0 % [-50.0 %, -50.0 %] on the branch at C=1,000, the highest level that both pass.

### Cost, where both sides passed

|     C |   base cpu-ms/turn |   branch | ratio                      |   base latency-infl |   branch | ratio                      |   base peak-rss-mb |   branch | ratio                   |
|------:|-------------------:|---------:|:---------------------------|--------------------:|---------:|:---------------------------|-------------------:|---------:|:------------------------|
| 1,000 |                  2 |        1 | -50.0 % [-50.0 %, -50.0 %] |                3.00 |     1.50 | -50.0 % [-50.0 %, -50.0 %] |                100 |      100 | +0.0 % [+0.0 %, +0.0 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.

### Cost per session, extrapolated to the limits of the box

| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C   | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:-----------------------|:-------------------------|
| threads per session    | –                   | 0 [0, 0]              | none              | –                      | –                        |
| cpu-ms per turn        | –                   | 1 [1, 1]              | 1 CPU             | –                      | 450 [450, 450]           |
| KiB per session        | –                   | 0 [0, 0]              | 2 GiB             | –                      | never                    |
| open files per session | –                   | 0 [0, 0]              | 20,000 open files | –                      | never                    |

Observed: base failed between C=1,000 and C=2,000 (oom); branch passed C=4,000, the highest level tried.

### How cells ended

|     C | side   | outcome   | reason                                             | evidence                 |
|------:|:-------|:----------|:---------------------------------------------------|:-------------------------|
| 2,000 | base   | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 3 of 2,000 sessions done |
| 2,000 | base   | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 3 of 2,000 sessions done |
"""


def _compared() -> FakeWorld:
    fakes = make_world(
        base=holds_up_to(1000, peak_threads=2000, latency_infl=3.0, cpu_ms_per_turn=2.0),
        branch=holds_up_to(4000, peak_threads=8, latency_infl=1.5, cpu_ms_per_turn=1.0),
    )
    assert compare(fakes.world, make_request(1000, 2000, 4000)) == _table(fakes)
    return fakes


def _table(fakes: FakeWorld) -> str:
    return str(fakes.store.only.document)


def test_compare_returns_the_table_that_it_stored() -> None:
    """The printed table is the stored one: both sides, their knees, the costs."""
    assert _table(_compared()) == TABLE


def test_compare_tells_its_progress() -> None:
    """Sides, builds, the box, a line a cell and the knees: what a person follows."""
    assert _compared().progress.lines == PROGRESS


PROGRESS = [
    "base   ba5eba5 Pump by polling  (the merge-base with main)",
    "branch b4a7b4a Pump by waking",
    *(f"{side:<6} esc-bench:tree-{image[7:19]} built" for side, image in (
        ("base", BASE_IMAGE), ("branch", BRANCH_IMAGE))),
    "compared: change",
    "cells  2 CPU, 2 GiB memory and no swap, no network, 600 s a cell",
    "C=1,000   base   ok, 3.00× latency-infl, 2,000 threads, 2 cpu-ms/turn, 100 MB (1.0 s)",
    "C=1,000   branch ok, 1.50× latency-infl, 8 threads, 1 cpu-ms/turn, 100 MB (1.0 s)",
    "C=1,000   branch ok, 1.50× latency-infl, 8 threads, 1 cpu-ms/turn, 100 MB (1.0 s)",
    "C=1,000   base   ok, 3.00× latency-infl, 2,000 threads, 2 cpu-ms/turn, 100 MB (1.0 s)",
    "C=2,000   branch ok, 1.50× latency-infl, 8 threads, 1 cpu-ms/turn, 100 MB (1.0 s)",
    "C=2,000   base   oom: out of memory at 2 GiB, its cgroup's oom_kill rose, peak threads ~4,000; 3 of 2,000 sessions done (9.0 s)",
    "C=2,000   base   oom: out of memory at 2 GiB, its cgroup's oom_kill rose, peak threads ~4,000; 3 of 2,000 sessions done (9.0 s)",
    "C=2,000   branch ok, 1.50× latency-infl, 8 threads, 1 cpu-ms/turn, 100 MB (1.0 s)",
    "C=4,000   branch ok, 1.50× latency-infl, 8 threads, 1 cpu-ms/turn, 100 MB (1.0 s)",
    "base: the knee is between C=1,000 and C=2,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)",
    "branch: no knee up to C=4,000",
    "results in results/2026-11-30T12:00:00Z-sc-mem-ba5eba5-b4a7b4a",
    "what the columns and outcomes mean: README.md, “How to read the table”",
]  # fmt: skip


def test_compare_runs_the_cells_by_image_id() -> None:
    """A check of each side, then ABBA, BAAB, and the branch alone, by image id."""
    assert _compared().box.levels_run == [
        *((BASE_IMAGE, 1), (BRANCH_IMAGE, 1)),
        *((image, 1000) for image in (BASE_IMAGE, BRANCH_IMAGE, BRANCH_IMAGE, BASE_IMAGE)),
        *((image, 2000) for image in (BRANCH_IMAGE, BASE_IMAGE, BASE_IMAGE, BRANCH_IMAGE)),
        (BRANCH_IMAGE, 4000),
    ]


def test_compare_gives_a_cell_its_order() -> None:
    """Each cell gets its side's drive, the load and the caps; a check its own load."""
    fakes = make_world()
    environments = {Side.BASE: {"A": "1"}, Side.BRANCH: {"A": "2"}}
    request = make_request(1000, environments=environments)
    compare(fakes.world, request)
    check, *cells = [spec for image, spec in fakes.box.specs if image == BRANCH_IMAGE]
    assert check.load == Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
    assert cells == 2 * [
        CellSpec(
            run_id=RUN_ID,
            arm="sc-mem",
            level=1000,
            load=request.load,
            caps=request.caps,
            environment={"A": "2"},
        )
    ]


def test_compare_checks_a_side_of_several_processes_with_one() -> None:
    """The check runs one process; the cells of the ramp run as many as asked."""
    fakes = make_world()
    environments = {Side.BASE: {"A": "1"}, Side.BRANCH: {"A": "1", "SCALE_PROCS": "2"}}
    compare(fakes.world, make_request(1000, environments=environments))
    check, *cells = [spec for image, spec in fakes.box.specs if image == BRANCH_IMAGE]
    assert check.environment == {"A": "1"}
    assert [cell.environment for cell in cells] == 2 * [{"A": "1", "SCALE_PROCS": "2"}]


def test_compare_writes_after_every_cell() -> None:
    """The stored run is incomplete until its last cell."""
    run = _compared().store.only
    assert run.completes == [False] * 9 + [True]
    assert [cell.slot.level for cell in run.cells] == [1000] * 4 + [2000] * 4 + [4000]
    assert [cell.log for cell in run.cells][:2] == [
        "logs/001-base-C1000.log",
        "logs/002-branch-C1000.log",
    ]
    assert set(run.logs) == {cell.log for cell in run.cells}


def test_compare_keeps_what_was_known_of_a_killed_cell() -> None:
    """The last progress of a cell that died stands in its place, with when it began."""
    run = _compared().store.only
    (first, _) = [cell for cell in run.cells if cell.outcome is Outcome.OOM]
    assert (first.peak_threads, first.peak_rss_mb, first.sessions_done) == (4000, 1999.0, 3)
    assert first.started_at == "2026-11-30T12:00:08Z"
    assert first.evidence["supervisor"] == {"cause": "oom", "signal": 9}


def test_compare_hears_of_running_cells() -> None:
    """Progress of a cell reaches whoever follows the run, with its place."""
    moved = _compared().progress.moved
    assert [(slot.level, line.done) for slot, line in moved] == [(2000, 3), (2000, 3)]


def test_compare_removes_leftovers_first() -> None:
    """Leftovers of killed runs go first, and are reported."""
    fakes = make_world()
    fakes.repo = FakeRepo(left=("/tmp/esc-bench-base-x/tree",))  # noqa: S108  # a name, no file
    fakes.box.containers = ["esc-dead", "esc-2-2-2"]
    compare(fakes.world, make_request(1000))
    assert fakes.progress.lines[:2] == [
        "removed /tmp/esc-bench-base-x/tree, left by a run that was killed",
        "removed container of esc-dead, left by a run that was killed",
    ]
    assert fakes.box.reaped == [None]
    assert fakes.box.containers == ["esc-2-2-2"]
    assert fakes.repo.open == []


@pytest.mark.parametrize(
    ("branch_environment", "expected"),
    [({}, Purity.AA), ({"SCALE_VT": "0"}, Purity.SETTINGS)],
)
def test_compare_of_the_same_code_says_so(
    branch_environment: dict[str, str], expected: Purity
) -> None:
    """One runtime on both sides is A/A, or a comparison of two settings."""
    fakes = make_world(branch_tree=BASE_TREE)
    environments: dict[Side, dict[str, str]] = {Side.BASE: {}, Side.BRANCH: branch_environment}
    compare(fakes.world, make_request(1000, environments=environments))
    comparison = fakes.store.only.comparison
    assert comparison is not None
    assert comparison.run.purity is expected
    assert len(fakes.box.built) == 1


def test_compare_takes_the_refs_and_the_base_image_that_it_is_given() -> None:
    """--base and --base-image reach the repository and the box."""
    fakes = make_world()
    compare(fakes.world, make_request(1000, base="HEAD~1", base_image="python:3.12"))
    comparison = fakes.store.only.comparison
    assert comparison is not None
    assert (comparison.run.how, comparison.run.box.base_image) == ("--base HEAD~1", "python:3.12")


def test_compare_marks_uncommitted_changes() -> None:
    """Uncommitted changes are named in the first lines."""
    fakes = FakeWorld(repo=FakeRepo(dirty="ff" * 32))
    compare(fakes.world, make_request(1000))
    assert fakes.progress.lines[1] == "branch b4a7b4a Pump by waking with uncommitted changes"
    assert str(fakes.store.only.document).startswith(
        "## sc-mem: `ba5eba5` → `b4a7b4a` + uncommitted changes\n"
    )
