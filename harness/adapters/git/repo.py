"""The repository: the two commits, the worktree of the base, the working tree of the branch."""

import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import git

from harness.adapters.git.changes import find_dirt
from harness.adapters.git.git import Git
from harness.adapters.git.refs import GitRefs, shown
from harness.adapters.git.worktrees import Worktrees
from harness.adapters.host.trees import read_tree
from harness.model.errors import BranchCannotRunError, HarnessError, RepoError
from harness.model.tree import SUBJECT, Tree
from harness.verbs.doctor import GitFact
from harness.verbs.ports import Refs

_RUNTIME = ("src",)
_NO_LINKS = ("Dockerfile", "harness", "harness/probe", "src", SUBJECT)


class GitRepo:
    """A repository and its working tree.

    GitPython finds it; whatever git is to do in it is done quietly.

    Args:
        folder: Anywhere in the working tree.

    Raises:
        RepoError: There is no repository with a commit there, or it is bare.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._repo = git.Repo(folder, search_parent_directories=True, expand_vars=False)
        except (git.InvalidGitRepositoryError, git.NoSuchPathError, OSError, ValueError) as error:
            msg = f"{folder} is not in a git repository"
            raise RepoError(
                msg, hint="run it in a checkout, or name one with --repo DIR"
            ) from error
        if self._repo.working_tree_dir is None:
            msg = f"{folder} is a bare repository"
            raise RepoError(msg, hint="name a checkout with --repo DIR")
        self.root = Path(self._repo.working_tree_dir)
        self._git = Git(self.root)
        self._refs = GitRefs(self._git, self.root)
        self._worktrees = Worktrees(self._git)

    def close(self) -> None:
        """End the git processes that are kept for it."""
        self._repo.close()

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits to compare."""
        head = self._refs.resolve("HEAD", where="HEAD")
        dirty = find_dirt(self._git, self.root)
        commit, how = (
            (self._refs.resolve(base, where="--base"), f"--base {shown(base)}")
            if base is not None
            else self._refs.find_base(head, main, is_dirty=dirty is not None)
        )
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
        """Check the base out in a worktree, and give its runtime with the branch's bench; remove it afterwards.

        Of the base's own bench nothing is read.
        """
        branch = self.branch_tree()
        for name in ("harness", "Dockerfile"):
            if not branch.holds(name):
                msg = f"the branch has no {name} in {self.root}"
                raise BranchCannotRunError(msg, hint="run it in a checkout that holds the bench")
        with self._worktrees.at(refs.base, run_id) as folder:
            yield read_tree(folder, _RUNTIME).with_bench_of(branch)

    def branch_tree(self) -> Tree:
        """Give the context of the working tree as it is.

        Raises:
            BranchCannotRunError: What the bench stands on there is a link.
            RepoError: Something there cannot be taken into a context.
        """
        for name in _NO_LINKS:
            if _is_link(self.root / name):
                msg = f"the branch's {name} is a link, and links are not followed"
                raise BranchCannotRunError(
                    msg, hint=f"put what it leads to in its place in {self.root}"
                )
        return read_tree(self.root)

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or those of runs that are no longer alive; return their paths."""
        return self._worktrees.prune(run_id)


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(path.lstat().st_mode)
    except OSError:  # what is not there is told when it is read
        return False


def find_git_fact(folder: Path) -> GitFact:
    """Return what git finds in a folder, for the doctor."""
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
