"""Ramp, build, show the plan or a stored run, clean up."""

import pytest

from harness.model.errors import BranchCannotRunError, BuildError, UsageError
from harness.model.nouns import Outcome, Side
from harness.verbs.compare import compare, show_plan
from harness.verbs.housekeeping import build, clean, show_run
from harness.verbs.ramp import ramp
from tests.builders.world import (
    BASE_IMAGE,
    BASE_TREE,
    BRANCH_IMAGE,
    BRANCH_TREE,
    RUN_ID,
    FakeWorld,
    make_request,
    make_world,
)
from tests.fakes.fake_box import FakeBox, fails_with, holds_up_to
from tests.fakes.fake_repo import FakeRepo
from tests.fakes.fake_store import FakeStore

RAMP = """\
## sc-mem: ramp of one build

- build: `b4a7b4a` — Pump by waking; runtime 5a4f9f45121a, with SCALE_VT=0
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image fake-base:1
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:00:00Z

|   C (sessions) |   peak-threads | outcome                                                            |
|---------------:|---------------:|:-------------------------------------------------------------------|
|          1,000 |              8 | ok — 1.50× latency-infl                                            |
|          2,000 |         ~4,000 | **DIED — oom: out of memory at 2 GiB, its cgroup's oom_kill rose** |
|          4,000 |              – | –                                                                  |

Takeaways:

- the build: the knee is between C=1,000 and C=2,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)

### How cells ended

|     C | side      | outcome   | reason                                             | evidence                 |
|------:|:----------|:----------|:---------------------------------------------------|:-------------------------|
| 2,000 | the build | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 3 of 2,000 sessions done |
"""


def test_ramp_of_the_checkout_stops_at_its_knee() -> None:
    """The working tree is ramped, a cell a level, in the branch's environment."""
    fakes = make_world(branch=holds_up_to(1000))
    environments = {Side.BASE: {"A": "1"}, Side.BRANCH: {"SCALE_VT": "0"}}
    shown = ramp(fakes.world, make_request(1000, 2000, 4000, environments=environments), None)
    assert shown == fakes.store.only.document == RAMP
    assert fakes.box.levels_run == [(BRANCH_IMAGE, level) for level in (1, 1000, 2000)]
    assert {spec.environment["SCALE_VT"] for _, spec in fakes.box.specs} == {"0"}
    assert list(fakes.store.runs) == ["results/2026-11-30T12:00:00Z-sc-mem-ramp-b4a7b4a"]


def test_ramp_of_an_image_builds_nothing() -> None:
    """An existing build is ramped as it is, and the table names it."""
    fakes = FakeWorld()
    fakes.box.built = ["esc-bench:branch"]
    shown = ramp(fakes.world, make_request(1000), "esc-bench:branch")
    lines = shown.splitlines()
    assert lines[2] == "- build: `esc-bench:br` — esc-bench:branch"
    assert lines[5].endswith("base image that of esc-bench:branch")
    assert fakes.box.built == ["esc-bench:branch"]
    assert list(fakes.store.runs) == ["results/2026-11-30T12:00:00Z-sc-mem-ramp-esc-ben"]


def test_ramp_of_an_image_that_is_not_there_is_a_usage_error() -> None:
    """Nothing is stored for it."""
    fakes = FakeWorld()
    with pytest.raises(UsageError, match="there is no image 'nope'"):
        ramp(fakes.world, make_request(1000), "nope")
    assert fakes.store.runs == {}


def test_ramp_of_an_image_that_cannot_run_names_the_image() -> None:
    """A build without a commit is called by its id."""
    fakes = FakeWorld(box=FakeBox(behave=fails_with(Outcome.CRASH), built=["esc-bench:branch"]))
    with pytest.raises(
        BranchCannotRunError, match=r"^the build esc-bench:br cannot run the probe"
    ):
        ramp(fakes.world, make_request(1000), "esc-bench:branch")


def test_ramp_tells_the_knee_of_the_build() -> None:
    """The last lines are where it broke and where the results are."""
    fakes = make_world(branch=holds_up_to(1000))
    ramp(fakes.world, make_request(1000, 2000), None)
    assert fakes.progress.lines[-3:] == [
        (
            "the build: the knee is between C=1,000 and C=2,000: "
            "oom (out of memory at 2 GiB, its cgroup's oom_kill rose)"
        ),
        "results in results/2026-11-30T12:00:00Z-sc-mem-ramp-b4a7b4a",
        "what the columns and outcomes mean: README.md, “How to read the table”",
    ]


def test_build_says_which_image_each_side_is() -> None:
    """Both sides are built, none is run; an unchanged tree is built once."""
    fakes = make_world()
    tags = [
        f"esc-bench:tree-{image.removeprefix('sha256:')[:12]}"
        for image in (BASE_IMAGE, BRANCH_IMAGE)
    ]
    assert build(fakes.world, make_request()) == f"base: {tags[0]} built\nbranch: {tags[1]} built"
    assert build(fakes.world, make_request()) == f"base: {tags[0]} found\nbranch: {tags[1]} found"
    assert fakes.box.specs == []
    assert fakes.repo.open == []


def test_build_without_its_base_image_fails() -> None:
    """The image that was asked for is not silently replaced by another."""
    with pytest.raises(BuildError, match="no-such-image"):
        build(FakeWorld().world, make_request(base_image="no-such-image"))


def test_show_plan_builds_and_runs_nothing() -> None:
    """Refs, hashes, images and cells are shown; nothing is built or left."""
    fakes = make_world()
    fakes.box.built = [f"esc-bench:tree-{BASE_IMAGE.removeprefix('sha256:')[:12]}"]
    lines = show_plan(fakes.world, make_request(1000, blocks=2)).splitlines()
    assert lines[0] == "compared: change (the merge-base with main)"
    assert f"  runtime {BASE_TREE.subject_hash}" in lines
    assert f"  runtime {BRANCH_TREE.subject_hash}" in lines
    assert [line.rpartition("(")[2] for line in lines if line.startswith("  image")] == [
        "built already)",
        "to be built)",
    ]
    assert lines[-10:-7] == [
        "    1. C=1 base, check that it runs",
        "    2. C=1 branch, check that it runs",
        "    3. C=1,000 base, block 1, pair 1",
    ]
    assert lines[-1] == "   10. C=1,000 branch, block 2, pair 2"
    assert (fakes.box.specs, fakes.store.runs, fakes.repo.open) == ([], {}, [])
    assert len(fakes.box.built) == 1


def test_show_run_derives_the_stored_table_again() -> None:
    """The table of a stored run is the one that was printed when it ran."""
    fakes = make_world(base=holds_up_to(1000))
    shown = compare(fakes.world, make_request(1000, 2000))
    assert show_run(fakes.store, fakes.store.only.folder, {}) == shown


def test_clean_says_what_it_removed() -> None:
    """Leftovers of dead runs go, by name; those of living runs stay."""
    fakes = FakeWorld(repo=FakeRepo(left=("/x/esc-bench-base-1/tree",)))
    fakes.box.containers = ["esc-dead", "esc-2-2-2"]
    fakes.box.built = [f"esc-bench:tree-{number}" for number in range(5)]
    fakes.store.halves = ["results/.index.md~esc-dead"]
    told = clean(fakes.repo, [fakes.box], fakes.store, lambda: ["lock of esc-dead"])
    assert told.splitlines() == [
        "removed /x/esc-bench-base-1/tree",
        "removed results/.index.md~esc-dead",
        "removed lock of esc-dead",
        "removed container of esc-dead",
        "removed image esc-bench:tree-0",
    ]
    assert fakes.box.containers == ["esc-2-2-2"]
    assert RUN_ID not in fakes.box.reaped


def test_clean_says_when_there_was_nothing() -> None:
    """No news is told as well."""
    assert (
        clean(FakeRepo(), [FakeBox(), FakeBox()], FakeStore(), list) == "nothing was left behind"
    )
