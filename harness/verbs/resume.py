"""Resume a stored run, in the box and with the builds that it was measured with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import structs

from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Side
from harness.model.runs import BoxInfo, RunInfo, SideInfo
from harness.model.tree import Tree
from harness.model.units import show_plural
from harness.plan.outlook import imagine_rest
from harness.report.plan import rest_text
from harness.verbs.ports import BaseImage, Box, Refs, World
from harness.verbs.run import OpenRun, derive
from harness.verbs.sides import checked_out, clear_leftovers, describe_box

_ANEW = "start a new run: nothing of two boxes is ever mixed"
_PROVEN = {
    "box": "box",
    "engine": "engine",
    "cgroup": "cgroup",
    "host": "host",
    "machine": "machine",
    "host_cpus": "CPUs of the host",
    "host_memory_bytes": "memory of the host in bytes",
    "holds": "what it holds",
}


def resume(world: World, folder: str, kind: str) -> OpenRun:
    """Open an interrupted run again.

    Args:
        folder: Its path, or its name alone.
        kind: The kind of run that the verb makes.

    Raises:
        UsageError: The run is complete or of another kind, or its box or a build has changed.
        HarnessError: A build that is gone cannot be made again; nothing was measured.
    """
    run, cells = load_unfinished(world, folder, kind)
    clear_leftovers(world)
    world.progress.say(f"resume {folder}: {show_plural(len(cells), 'cell')} kept")
    _refuse_other_box(run.box, describe_box(world, run.box.base_image, run.caps))
    images = _find_builds(world, run)
    run = structs.replace(
        run,
        run_id=world.run_id,
        resumed=(*run.resumed, world.utc_stamp()),
        sides=tuple(structs.replace(side, image=images[side.image]) for side in run.sides),
    )
    writer, removed = world.store.reopen_run(folder, run, cells)
    for what in removed:
        world.progress.say(f"removed {what}")
    return OpenRun(info=run, writer=writer, cells=cells)


def show_rest(world: World, folder: str, kind: str) -> str:
    """Return the builds and the remaining cells of a run, without running it."""
    run, cells = load_unfinished(world, folder, kind)
    _refuse_other_box(run.box, describe_box(world, run.box.base_image, run.caps))
    built = {side.side: _is_there(world.box, side.image) for side in run.sides}
    rest = [cell.slot for cell in imagine_rest(run.plan, cells)]
    return rest_text(run, len(cells), built, rest)


def load_unfinished(world: World, folder: str, kind: str) -> tuple[RunInfo, list[Cell]]:
    """Return the run and the cells of an incomplete run of a kind.

    Raises:
        UsageError: It is no run, complete, of another kind, or holds values that no run measures.
    """
    run, cells, is_complete = world.store.load(folder)
    derive(run, cells, complete=is_complete)
    if is_complete:
        msg = f"{folder} is complete"
        raise UsageError(msg, hint=f"`invoke report {folder}` prints it")
    if run.kind != kind:
        msg = f"{folder} is of `invoke {run.kind}`, and not of `invoke {kind}`"
        raise UsageError(msg, hint=f"`invoke {run.kind} --resume {folder}`")
    return run, cells


def _refuse_other_box(stored: BoxInfo, here: BoxInfo) -> None:
    differ = [
        f"{name} {_shown(stored, field)} (here {_shown(here, field)})"
        for field, name in _PROVEN.items()
        if getattr(stored, field) != getattr(here, field)
    ]
    if differ:
        msg = f"the run was measured elsewhere: {'; '.join(differ)}"
        raise UsageError(msg, hint=_ANEW)


def _shown(box: BoxInfo, field: str) -> str:
    value = getattr(box, field)
    return (", ".join(value) or "nothing") if isinstance(value, tuple) else str(value)


def _find_builds(world: World, run: RunInfo) -> Mapping[str, str]:
    """Return the image to run for each stored image; build a lost one again.

    Raises:
        UsageError: An image is gone, and so is the tree that it was built from.
    """
    there = {side.image for side in run.sides if _is_there(world.box, side.image)}
    gone = {side.image: side for side in run.sides if side.image not in there}
    images = {image: image for image in there}
    if gone:
        images |= _build_again(world, run, tuple(gone.values()))
    if there:
        names = " and ".join(dict.fromkeys(s.side for s in run.sides if s.image in there))
        world.progress.say(f"build  {names} as stored, whatever the checkout holds by now")
    return images


def _is_there(box: Box, image: str) -> bool:
    try:
        box.find_build(image)
    except UsageError:
        return False
    return True


def _build_again(world: World, run: RunInfo, gone: Sequence[SideInfo]) -> dict[str, str]:
    for side in gone:
        if side.tree is None:
            msg = f"the build {side.title} that was measured is gone"
            raise UsageError(msg, hint="start a new run: nobody knows what it was made from")
    base_image = world.box.find_base_image(run.box.base_image)
    images = {}
    with _trees_of(world, run) as trees:
        for side in gone:
            _refuse_other_tree(side, trees[side.side], base_image)
        for side in gone:
            found = world.box.build(trees[side.side], base_image=base_image, side=side.side)
            world.progress.say(f"{side.side:<6} {found.how}")
            images[side.image] = found.image
    return images


@contextmanager
def _trees_of(world: World, run: RunInfo) -> Iterator[Mapping[Side, Tree]]:
    """Yield the trees of today: the base's commit, and the working tree."""
    if not run.has_two_sides:
        yield {Side.BRANCH: world.repo.branch_tree()}
        return
    base, branch = run.sides
    refs = Refs(
        base=base.commit or "",
        branch=branch.commit or "",
        base_title=base.title,
        branch_title=branch.title,
        dirty=branch.dirty,
        how=run.how,
    )
    with checked_out(world.repo, refs, world.run_id) as sides:
        yield sides.trees


def _refuse_other_tree(side: SideInfo, tree: Tree, base_image: BaseImage) -> None:
    now, then = tree.hash_on(base_image.id), side.tree or ""
    if now == then:
        return
    change = f"tree {then[:12]} → {now[:12]} on {base_image.name}"
    if side.side is Side.BASE:
        msg = f"the base cannot be built again as it was: {change}"
        hint = "its bench is the working tree's: go back to the one that was measured, or start a new run"
    else:
        msg = f"the branch has changed since, and its build is gone: {change}"
        hint = "go back to what was measured, or start a new run"
    raise UsageError(msg, hint=hint)
