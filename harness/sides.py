"""What is built for each side of a comparison, and the proof of what differs between the two."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from harness.errors import BaseCannotRunError, BranchCannotRunError, DisturbedError
from harness.model import Drive, Purity, Result, Side, SideInfo
from harness.ports import BaseImage, Box, Build, Refs, Repo
from harness.tree import SUBJECT, Tree

MARKS = {Side.BASE: BaseCannotRunError, Side.BRANCH: BranchCannotRunError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides, checked out.

    Args:
        trees: The build context of each.
    """

    refs: Refs
    trees: Mapping[Side, Tree]


@contextmanager
def checked_out(repo: Repo, refs: Refs, run_id: str) -> Iterator[Sides]:
    """Give both trees for as long as the worktree of the base stands.

    Raises:
        BranchCannotRunError: The branch has no bench or no runtime.
        BaseCannotRunError: The base has no runtime.
    """
    branch = repo.branch_tree()
    for path, what in (("harness/probe", "bench"), ("Dockerfile", "bench"), (SUBJECT, "runtime")):
        if not branch.holds(path):
            msg = f"the branch holds no {path}, so it has no {what} to run"
            raise BranchCannotRunError(
                msg, hint="run it in a checkout that does, or name one with --repo"
            )
    with repo.base_tree(refs, run_id) as base:
        if not base.holds(SUBJECT):
            msg = f"the base {refs.base[:7]} holds no {SUBJECT}, so there is no runtime to measure"
            raise BaseCannotRunError(msg, hint="name a base that has one with --base REF")
        yield Sides(refs=refs, trees={Side.BASE: base, Side.BRANCH: branch})


def build_sides(box: Box, sides: Sides, base_image: BaseImage) -> dict[Side, Build]:
    """Build both, the base first.

    Raises:
        BuildError: One does not build.
    """
    return {side: box.build(sides.trees[side], base_image=base_image, side=side) for side in Side}


def describe_sides(
    sides: Sides,
    builds: Mapping[Side, Build],
    base_image: BaseImage,
    drives: Mapping[Side, Drive],
) -> tuple[SideInfo, SideInfo]:
    """Return what each side was built from, the base first."""
    base, branch = (
        SideInfo(
            side=side,
            arm=drives[side].arm,
            commit=sides.refs.base if side is Side.BASE else sides.refs.branch,
            title=sides.refs.base_title if side is Side.BASE else sides.refs.branch_title,
            dirty=None if side is Side.BASE else sides.refs.dirty,
            subject=sides.trees[side].subject_hash,
            gauge=sides.trees[side].gauge_hash,
            tree=sides.trees[side].hash_on(base_image.id),
            image=builds[side].image,
            environment=dict(drives[side].environment),
        )
        for side in Side
    )
    return base, branch


def build_working_tree(
    box: Box, repo: Repo, base_image: BaseImage, drive: Drive
) -> tuple[SideInfo, str]:
    """Build the checkout as it is; return what it was built from, and which image it is, for people.

    Raises:
        BuildError: It does not build.
    """
    refs = repo.find_sides(base="HEAD", main=None)
    tree = repo.branch_tree()
    found = box.build(tree, base_image=base_image, side=Side.BRANCH)
    info = SideInfo(
        side=Side.BRANCH,
        arm=drive.arm,
        commit=refs.branch,
        title=refs.branch_title,
        dirty=refs.dirty,
        subject=tree.subject_hash,
        gauge=tree.gauge_hash,
        tree=tree.hash_on(base_image.id),
        image=found.image,
        environment=drive.environment,
    )
    return info, found.how


def describe_image(box: Box, image: str, drive: Drive) -> SideInfo:
    """Return what is known of a build that is there already.

    Raises:
        UsageError: There is none of that name.
    """
    return SideInfo(
        side=Side.BRANCH,
        arm=drive.arm,
        commit=None,
        title=image,
        dirty=None,
        subject=None,
        gauge=None,
        tree=None,
        image=box.find_build(image).image,
        environment=drive.environment,
    )


def find_purity(base: SideInfo, branch: SideInfo) -> Purity:
    """Say what differs between the sides.

    Raises:
        DisturbedError: Two gauges: what differs could be the measuring itself.
    """
    if base.gauge != branch.gauge:
        msg = "the two sides were built with different probes"
        raise DisturbedError(msg, hint="this is a fault of the bench: please report it")
    if base.subject != branch.subject:
        return Purity.CHANGE
    same = (base.arm, base.environment) == (branch.arm, branch.environment)
    return Purity.AA if same else Purity.SETTINGS


def foreign_subject(result: Result | None, side: SideInfo) -> str:
    """Say which other code a cell of a side ran; empty when it ran its own, or cannot tell."""
    loaded = result.subject if result is not None else None
    if loaded is None or side.subject is None or loaded.hash == side.subject:
        return ""
    return (
        f"it loaded a runtime with hash {loaded.hash[:12]} from {loaded.path}, "
        f"and the tree of the {side.side} has {side.subject[:12]}"
    )
