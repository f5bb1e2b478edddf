"""The contract of every box: builds, cells and cleanup."""

from collections.abc import Iterator

import pytest

from harness.adapters.host.owner import own_run_id
from harness.model.errors import BuildError, UsageError
from harness.model.nouns import Caps, Load, Side
from harness.outcome.protocol import ProgressLine
from harness.verbs.ports import BaseImage, Box, CellSpec
from tests.fakes.fake_box import FakeBox, holds_up_to
from tests.hosts.box_sides import BoxSide
from tests.hosts.docker_side import make_box_tree

CAPS = Caps(cpus=0.5, memory_bytes=64 << 20, pids=64, timeout_s=60.0)
RUN_ID = own_run_id()
TREE = make_box_tree("one")


def spec(arm: str = "ok", *, level: int = 5, caps: Caps = CAPS, run_id: str = "") -> CellSpec:
    """Ask for one cell; the probe of the test takes the arm for how to end."""
    return CellSpec(
        run_id=run_id or RUN_ID,
        arm=arm,
        level=level,
        load=Load(turns=1),
        caps=caps,
        environment={"TOGGLE": "1"},
    )


@pytest.fixture
def box(box_side: BoxSide) -> Iterator[Box]:
    """Give each kind of box in turn, and end what a test has left in it."""
    yield box_side.box
    box_side.box.reap(RUN_ID)


@pytest.fixture
def base_image(box: Box) -> BaseImage:
    """Find what the trees are built on."""
    return box.find_base_image("")


def test_box_finds_an_unchanged_tree_again(box: Box, base_image: BaseImage) -> None:
    """The second build of a tree finds the image of the first."""
    first = box.build(TREE, base_image=base_image, side=Side.BASE)
    again = box.build(TREE, base_image=base_image, side=Side.BRANCH)
    assert again.image == first.image
    assert " found" in again.how


def test_box_knows_a_tree_before_it_is_built(box: Box, base_image: BaseImage) -> None:
    """A tree has its tag from the start; whether its image is there is told apart."""
    tree = make_box_tree("located")
    tag, is_there = box.locate(tree, base_image=base_image)
    assert (tag.startswith("esc-bench:tree-"), is_there) == (True, False)
    built = box.build(tree, base_image=base_image, side=Side.BASE)
    assert built.how.startswith(f"{tag} built")
    assert box.locate(tree, base_image=base_image) == (tag, True)
    assert box.find_build(tag).image


def test_box_builds_two_trees_into_two_images(box: Box, base_image: BaseImage) -> None:
    """A change of one byte is another build."""
    one = box.build(TREE, base_image=base_image, side=Side.BASE)
    two = box.build(make_box_tree("two"), base_image=base_image, side=Side.BRANCH)
    assert one.image != two.image


def test_box_tells_what_does_not_build(box_side: BoxSide, base_image: BaseImage) -> None:
    """The side is named, and the reason is there; nothing is found in its place."""
    tree, reason = box_side.broken
    with pytest.raises(BuildError) as caught:
        box_side.box.build(tree, base_image=base_image, side=Side.BRANCH)
    assert caught.value.what.startswith("the branch does not build: ")
    assert reason in str(caught.value)
    assert not box_side.box.locate(tree, base_image=base_image)[1]


@pytest.mark.parametrize("name", ["no-such-image:x", "No Such Image", "no-such-image@sha256:1"])
def test_box_refuses_a_build_that_is_not_there(box: Box, name: str) -> None:
    """A name that was mistyped is a usage error, be it a possible name or not."""
    with pytest.raises(UsageError, match=r"^there is no image "):
        box.find_build(name)


def test_box_says_where_it_is(box: Box) -> None:
    """The engine, its host and the base image: what bears on the numbers."""
    info = box.describe("base:1")
    assert info.base_image == "base:1"
    assert info.host_cpus > 0
    assert info.host_memory_bytes > 1 << 28
    assert info.cgroup in {"v1", "v2", "none"}
    assert info.box in {"docker", "cgroup", "watchdog"}
    assert info.engine


def test_box_runs_a_cell_to_its_result(box: Box, base_image: BaseImage) -> None:
    """A cell that ends well has a RESULT, exit code 0, and no sign of a kill."""
    build = box.build(TREE, base_image=base_image, side=Side.BASE)
    seen = box.run_cell(build, spec(level=7), lambda _: None)
    assert seen.output.result is not None
    assert (seen.output.result.c, seen.output.result.ok) == (7, 7)
    assert (seen.exit_code, seen.timed_out, seen.oom_killed, seen.engine_error) == (
        *(0, False, False),
        "",
    )
    assert seen.wall_s > 0


def test_box_tells_of_a_cell_while_it_runs(
    box: Box, base_image: BaseImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows the run hears how far a cell has come."""
    if isinstance(box, FakeBox):
        monkeypatch.setattr(box, "behave", holds_up_to(0))
    build = box.build(TREE, base_image=base_image, side=Side.BASE)
    heard: list[ProgressLine] = []
    seen = box.run_cell(build, spec("slow"), heard.append)
    assert heard[0].done > 0
    assert seen.output.progress[-1].done == heard[-1].done


def test_box_reaps_what_a_run_has_left(box_side: BoxSide, base_image: BaseImage) -> None:
    """`reap` removes one run's leftovers, or those of all dead runs."""
    dead, other_dead, alive = "esc-dead-1", "esc-dead-2", own_run_id()
    box = box_side.box
    left = {run_id: box_side.leave(run_id, base_image) for run_id in (dead, other_dead, alive)}
    assert [is_there() for is_there in left.values()] == [True, True, True]
    assert len(box.reap(dead)) == 1
    assert [is_there() for is_there in left.values()] == [False, True, True]
    assert box.reap()
    assert [is_there() for is_there in left.values()] == [False, False, True]
    assert len(box.reap(alive)) == 1
    assert not left[alive]()


def test_box_keeps_the_newest_four_trees(box: Box, base_image: BaseImage) -> None:
    """The oldest go first, and what is kept can still be found."""
    trees = [make_box_tree(f"kept {number}") for number in range(5)]
    tags = []
    for tree in trees:
        box.build(tree, base_image=base_image, side=Side.BASE)
        tags.append(box.locate(tree, base_image=base_image)[0])
    assert f"image {tags[0]}" in box.trim()
    there = [box.locate(tree, base_image=base_image)[1] for tree in trees]
    assert there == [False, True, True, True, True]
    assert box.trim() == []


def test_box_finds_a_base_image_by_its_name(box: Box, base_image: BaseImage) -> None:
    """A named base image has the same id as the default one."""
    assert box.find_base_image(base_image.name) == base_image


def test_box_refuses_a_base_image_that_cannot_be_had(box: Box) -> None:
    """A base image that cannot be found is a build error."""
    with pytest.raises(BuildError, match=r"the base image no-such-image.invalid/x:1 (is missing|is no Python)"):
        box.find_base_image("no-such-image.invalid/x:1")
