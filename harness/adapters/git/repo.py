"""The repository: two commits, the base's worktree, the branch's working tree."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import git

from harness.adapters.git.changes import hash_changes
from harness.adapters.git.git import Git
from harness.adapters.git.refs import RefResolver, shorten
from harness.adapters.git.worktrees import Worktrees
from harness.adapters.host.trees import read_tree
from harness.model.errors import BranchCannotRunError, HarnessError, RepoError
from harness.model.tree import SUBJECT, Tree
from harness.verbs.doctor import GitFact
from harness.verbs.ports import Refs

_RUNTIME = ("src",)
_NO_LINKS = ("Dockerfile", "harness", "harness/probe", "src", SUBJECT)


class GitRepo:
    """A repository and its working tree, found by GitPython.

    Args:
        folder: Any folder of the working tree.

    Raises:
        RepoError: The folder is in no repository, or in a bare one.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._repo = git.Repo(folder, search_parent_directories=True, expand_vars=False)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError, OSError, ValueError) as error:
            msg = f"{folder} is not in a git repository"
            hint = "run it in a checkout, or name one with --repo DIR"
            raise RepoError(msg, hint=hint) from error
        if self._repo.working_tree_dir is None:
            msg = f"{folder} is a bare repository"
            raise RepoError(msg, hint="name a checkout with --repo DIR")
        self.root = Path(self._repo.working_tree_dir)
        self._git = Git(self.root)
        self._refs = RefResolver(self._git, self.root)
        self._worktrees = Worktrees(self._git)

    def close(self) -> None:
        """End the processes of GitPython."""
        self._repo.close()

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits to compare."""
        head = self._refs.resolve("HEAD", where="HEAD")
        dirty = hash_changes(self._git, self.root)
        if base is not None:
            commit, how = self._refs.resolve(base, where="--base"), f"--base {shorten(base)}"
        else:
            commit, how = self._refs.find_base(head, main, is_dirty=dirty is not None)
        return Refs(
            base=commit,
            branch=head,
            base_title=self._refs.title(commit),
            branch_title=self._refs.title(head),
            dirty=dirty,
            how=how,
        )

    @contextmanager
    def base_tree(self, refs: Refs, run_id: str) -> Iterator[Tree]:
        """Yield the base's runtime with the branch's bench, and clean up."""
        branch = self.branch_tree()
        for name in ("harness", "Dockerfile"):
            if not branch.holds(name):
                msg = f"the branch has no {name} in {self.root}"
                raise BranchCannotRunError(msg, hint="run it in a checkout that holds the bench")
        with self._worktrees.at(refs.base, run_id) as folder:
            yield read_tree(folder, _RUNTIME).with_bench_of(branch)

    def branch_tree(self) -> Tree:
        """Return the build context of the working tree.

        Raises:
            BranchCannotRunError: The runtime or the bench is a link.
            RepoError: An entry is no file, or cannot be read.
        """
        tree = read_tree(self.root)
        for name in _NO_LINKS:
            if (self.root / name).is_symlink():
                msg = f"the branch's {name} is a link, and links are not followed"
                hint = f"replace it with its target in {self.root}"
                raise BranchCannotRunError(msg, hint=hint)
        return tree

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or those of dead runs; return their paths."""
        return self._worktrees.prune(run_id)


def find_git_fact(folder: Path) -> GitFact:
    """Return the version of git, and the checkout that it finds around a folder."""
    try:
        version = Git(Path("/")).run("version").removeprefix("git version ")
    except RepoError as error:
        return GitFact(version=error.what, checkout=error.hint, can_compare=False)
    try:
        with closing(GitRepo(folder)) as repo:
            refs = repo.find_sides(base=None, main=None)
    except HarnessError as error:
        return GitFact(version=f"git {version}", checkout=error.what, can_compare=False)
    checkout = f"{refs.branch[:7]} is compared with {refs.base[:7]}, {refs.how}"
    return GitFact(version=f"git {version}", checkout=checkout, can_compare=True)
