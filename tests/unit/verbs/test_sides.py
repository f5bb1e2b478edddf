"""The sides of a run, and the purity of their comparison."""

import pytest

from harness.model.cells import Subject
from harness.model.errors import (
    BaseCannotRunError,
    BranchCannotRunError,
    BuildError,
    DisturbedError,
)
from harness.model.nouns import Arm, Drive, Purity, Side
from harness.model.runs import SideInfo
from harness.model.tree import Tree
from harness.verbs.ports import BaseImage, Refs
from harness.verbs.sides import (
    Sides,
    build_sides,
    checked_out,
    describe_sides,
    find_purity,
    foreign_subject,
)
from tests.builders.model import BASE_COMMIT, BRANCH_COMMIT, make_result, make_side, make_tree
from tests.fakes.fake_box import FakeBox
from tests.fakes.fake_repo import FakeRepo

IMAGE = BaseImage(id="sha256:base", name="fake-base:1")
BASE, BRANCH = make_tree(pump="SPEED = 1\n"), make_tree(pump="SPEED = 2\n")


def _refs() -> Refs:
    return FakeRepo(dirty="ff" * 32).find_sides(base=None, main=None)


def _without(tree: Tree, folder: str) -> Tree:
    return Tree(tuple(entry for entry in tree.entries if not entry.path.startswith(folder)))


def test_checked_out_gives_both_trees_while_the_worktree_stands() -> None:
    """The trees can be built inside the block; after it, the worktree is gone."""
    repo = FakeRepo(base=BASE, branch=BRANCH)
    with checked_out(repo, _refs(), "esc-1-1-1") as sides:
        assert repo.open == ["esc-1-1-1"]
        assert sides.trees == {Side.BASE: BASE, Side.BRANCH: BRANCH}
    assert repo.open == []


@pytest.mark.parametrize(
    ("missing", "what"),
    [("harness/probe", "bench"), ("Dockerfile", "bench"), ("src/escapement", "runtime")],
)
def test_checked_out_refuses_a_branch_that_has_nothing_to_run(missing: str, what: str) -> None:
    """A missing part is named before a worktree is made."""
    repo = FakeRepo(base=BASE, branch=_without(BRANCH, missing))
    message = rf"^the branch holds no {missing}, so it has no {what} to run"
    with (
        pytest.raises(BranchCannotRunError, match=message),
        checked_out(repo, _refs(), "esc-1-1-1"),
    ):
        pass
    assert repo.open == []


def test_checked_out_refuses_a_base_without_a_runtime() -> None:
    """A base without a runtime is refused, and its worktree removed."""
    repo = FakeRepo(base=_without(BASE, "src/escapement"), branch=BRANCH)
    with (
        pytest.raises(BaseCannotRunError, match=r"^the base ba5eba5 holds no src/escapement"),
        checked_out(repo, _refs(), "esc-1-1-1"),
    ):
        pass
    assert repo.open == []


def _sides() -> Sides:
    return Sides(refs=_refs(), trees={Side.BASE: BASE, Side.BRANCH: BRANCH})


def test_build_sides_builds_the_base_first() -> None:
    """Each side has its own image, of its own tree."""
    box = FakeBox()
    builds = build_sides(box, _sides(), IMAGE)
    assert list(builds) == [Side.BASE, Side.BRANCH]
    assert [build.image for build in builds.values()] == [
        box.image_of(BASE),
        box.image_of(BRANCH),
    ]


def test_build_sides_says_which_one_does_not_build() -> None:
    """The error names the side and ends with the log."""
    with pytest.raises(BuildError) as caught:
        build_sides(FakeBox(unbuildable=(Side.BRANCH,)), _sides(), IMAGE)
    assert str(caught.value).splitlines()[0] == "the branch does not build: no such instruction"


def test_describe_sides_tells_what_each_was_built_from() -> None:
    """Uncommitted changes are the branch's; each side has its own drive."""
    builds = build_sides(FakeBox(), _sides(), IMAGE)
    drives = {
        Side.BASE: Drive(arm=Arm.HAND, environment={"SCALE_VT": "0"}),
        Side.BRANCH: Drive(arm=Arm.SC_MEM, environment={}),
    }
    assert describe_sides(_sides(), builds, IMAGE, drives) == (
        SideInfo(
            side=Side.BASE,
            drive=drives[Side.BASE],
            commit=BASE_COMMIT,
            title="Pump by polling",
            dirty=None,
            subject=BASE.subject_hash,
            gauge=BASE.gauge_hash,
            tree=BASE.hash_on("sha256:base"),
            image=builds[Side.BASE].image,
        ),
        SideInfo(
            side=Side.BRANCH,
            drive=drives[Side.BRANCH],
            commit=BRANCH_COMMIT,
            title="Pump by waking",
            dirty="ff" * 32,
            subject=BRANCH.subject_hash,
            gauge=BRANCH.gauge_hash,
            tree=BRANCH.hash_on("sha256:base"),
            image=builds[Side.BRANCH].image,
        ),
    )


SAME = make_side(Side.BASE).subject


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Purity.CHANGE),
        ({"environment": {"A": "1"}}, Purity.CHANGE),
        ({"subject": SAME, "environment": {"A": "1"}}, Purity.SETTINGS),
        ({"subject": SAME, "arm": Arm.HAND}, Purity.SETTINGS),
        ({"subject": SAME}, Purity.AA),
        ({"subject": SAME, "tree": "99" * 32, "dirty": "ff" * 32}, Purity.AA),
    ],
)
def test_find_purity_goes_by_the_runtime_its_arm_and_its_environment(
    changes: dict[str, object], expected: Purity
) -> None:
    """Only runtime and drive count for purity."""
    assert find_purity(make_side(Side.BASE), make_side(Side.BRANCH, **changes)) is expected


def test_find_purity_refuses_two_gauges() -> None:
    """Two probes would measure two things."""
    with pytest.raises(DisturbedError, match="built with different probes"):
        find_purity(make_side(Side.BASE), make_side(Side.BRANCH, gauge="00" * 32))


def _loaded(subject_hash: str | None, side: SideInfo) -> str:
    subject = None
    if subject_hash is not None:
        subject = Subject(path="/usr/lib/escapement", version="1", hash=subject_hash)
    return foreign_subject(make_result(500, subject=subject), side)


def test_foreign_subject_tells_of_a_cell_that_ran_other_code() -> None:
    """The hash that was loaded, where from, and the one that should have been."""
    assert _loaded("99" * 32, make_side(Side.BASE)) == (
        "it loaded a runtime with hash 999999999999 from /usr/lib/escapement, "
        "and the tree of the base has aaaaaaaaaaaa"
    )


def test_foreign_subject_is_none_for_the_code_of_its_side() -> None:
    """The same hash proves it; a missing hash is no proof of foreign code."""
    assert _loaded("aa" * 32, make_side(Side.BASE)) == ""
    assert _loaded(None, make_side(Side.BASE)) == ""


def test_foreign_subject_asks_nothing_of_a_build_without_a_tree() -> None:
    """An image that was given by name has no hash to compare with."""
    side = make_side(Side.BRANCH, subject=None)
    assert _loaded("99" * 32, side) == ""
    assert foreign_subject(None, side) == ""
