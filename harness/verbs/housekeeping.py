"""Build without running, print a stored run again, remove leftovers."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.model.cells import Cell
from harness.model.request import Request
from harness.model.runs import RunInfo
from harness.report.document import render
from harness.verbs.ports import Box, Repo, Store, World
from harness.verbs.run import derive, possible_values
from harness.verbs.sides import build_sides, checked_out, clear_leftovers

Render = Callable[[RunInfo, Sequence[Cell], bool], str]


def build(world: World, request: Request) -> str:
    """Build both sides, and return their images."""
    clear_leftovers(world)
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
    return "\n".join(f"{side}: {found.how}" for side, found in builds.items())


def show_run(store: Store, folder: str, renderers: Mapping[str, Render]) -> str:
    """Return the table of a stored run, derived again from its cells.

    Args:
        folder: Its path, or its name alone.
        renderers: By kind of run, for kinds that are no comparison.

    Raises:
        UsageError: The folder holds no run, or values that no run measures.
    """
    info, cells, complete = store.load(folder)
    with possible_values(info):
        if info.kind in renderers:
            return renderers[info.kind](info, cells, complete)
        return render(derive(info, cells, complete=complete))


def clean(
    repo: Repo, boxes: Iterable[Box], store: Store, prune_locks: Callable[[], list[str]]
) -> str:
    """Remove what killed runs left, and return a line for each.

    Args:
        boxes: Every box that works here.
        prune_locks: Removes the locks that nobody holds.
    """
    removed = [*repo.prune(), *store.prune(), *prune_locks()]
    for box in boxes:
        removed += [*box.reap(), *box.trim()]
    return "\n".join(f"removed {name}" for name in removed) or "nothing was left behind"
