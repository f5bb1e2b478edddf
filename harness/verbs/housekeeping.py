"""Build without running, print a stored run again, remove leftovers."""

from collections.abc import Callable, Iterable

from experiments.speed_goals.report import render_goals
from harness.analysis.comparison import Comparison
from harness.model.request import Request
from harness.report.document import render
from harness.verbs.ports import Box, Repo, Store, World
from harness.verbs.run import derive
from harness.verbs.sides import build_sides, checked_out, clear_leftovers


def build(world: World, request: Request) -> str:
    """Build both sides, and return which image each one is."""
    clear_leftovers(world)
    refs = world.repo.find_sides(base=request.base, main=request.main)
    base_image = world.box.find_base_image(request.settings.base_image)
    with checked_out(world.repo, refs, world.run_id) as sides:
        builds = build_sides(world.box, sides, base_image)
    world.box.trim()
    return "\n".join(f"{side}: {found.how}" for side, found in builds.items())


def show_run(store: Store, folder: str) -> str:
    """Return the table of a stored run, derived again from its cells."""
    run, cells, complete = store.load(folder)
    said = derive(run, cells, complete=complete)
    return render(said) if isinstance(said, Comparison) else render_goals(said)


def clean(
    repo: Repo, boxes: Iterable[Box], store: Store, prune_locks: Callable[[], list[str]]
) -> str:
    """Remove what killed runs left, and return what that was.

    Args:
        repo: Whose worktrees.
        boxes: All that work here, whichever a run was in.
        store: Whose half-written files.
        prune_locks: Removes the locks that nobody holds.
    """
    removed = [*repo.prune(), *store.prune(), *prune_locks()]
    for box in boxes:
        removed += [*box.reap(), *box.trim()]
    return "\n".join(f"removed {name}" for name in removed) or "nothing was left behind"
