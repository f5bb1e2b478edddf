"""A repository of two commits in memory."""

from collections.abc import Iterator
from contextlib import contextmanager

from harness.model.errors import RepoError
from harness.model.tree import Tree
from harness.verbs.ports import Refs
from tests.builders.model import BASE_COMMIT, BRANCH_COMMIT, make_tree


class FakeRepo:
    """A branch and the commit that it is compared with.

    Args:
        base, branch: Their build contexts.
        dirty: Hash of uncommitted changes.
        left: Worktrees of killed runs.

    Attributes:
        open: Run ids with a worktree.
    """

    def __init__(
        self,
        *,
        base: Tree | None = None,
        branch: Tree | None = None,
        dirty: str | None = None,
        left: tuple[str, ...] = (),
    ) -> None:
        self._base = base or make_tree(pump="SPEED = 1\n")
        self._branch = branch or make_tree(pump="SPEED = 2\n")
        self._dirty = dirty
        self._left = list(left)
        self.open: list[str] = []

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits: the base by default, or HEAD."""
        known = {"main": BASE_COMMIT, "HEAD~1": BASE_COMMIT, "HEAD": BRANCH_COMMIT}
        for flag, ref in (("--base", base), ("--main", main)):
            if ref is not None and ref not in known:
                msg = f"{flag}: {ref!r} is not a commit of the fake"
                raise RepoError(msg)
        commit = known[base] if base else BASE_COMMIT
        titles = {BASE_COMMIT: "Pump by polling", BRANCH_COMMIT: "Pump by waking"}
        return Refs(
            base=commit,
            branch=BRANCH_COMMIT,
            base_title=titles[commit],
            branch_title=titles[BRANCH_COMMIT],
            dirty=self._dirty,
            how=f"--base {base}" if base else f"the merge-base with {main or 'main'}",
        )

    @contextmanager
    def base_tree(self, refs: Refs, run_id: str) -> Iterator[Tree]:
        """Yield the base's tree while its worktree exists."""
        self.open.append(run_id)
        try:
            yield self._base if refs.base == BASE_COMMIT else self._branch
        finally:
            self.open.remove(run_id)

    def branch_tree(self) -> Tree:
        """Return the branch's tree."""
        return self._branch

    def prune(self, run_id: str | None = None) -> list[str]:
        """Forget the worktrees of a run, or of killed runs; return them."""
        if run_id is None:
            removed, self._left = self._left, []
        else:
            removed = [name for name in self.open if name == run_id]
            self.open = [name for name in self.open if name != run_id]
        return removed
