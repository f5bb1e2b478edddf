"""The repository, through GitPython: the two commits, the worktree of the base, the working tree of the branch."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import git

from harness.adapters.tree_files import read_tree
from harness.adapters.worktrees import Worktrees
from harness.errors import BranchCannotRunError, RepoError
from harness.ports import Refs
from harness.tree import Tree

_DEFAULT_BRANCHES = ("main", "origin/main", "origin/HEAD")
_BENCH = ("harness", "Dockerfile", ".dockerignore")
_SHALLOW = "this clone is shallow: git fetch --unshallow"
_NOT_DIRT = ":(top,exclude)results"


class GitRepo:
    """A repository and its working tree.

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
        self._worktrees = Worktrees(self._repo)

    def close(self) -> None:
        """End the git processes that are kept for it."""
        self._repo.close()

    def find_sides(self, *, base: str | None, main: str | None) -> Refs:
        """Find the two commits to compare."""
        head = self._resolve("HEAD", where="HEAD")
        dirty = self._dirt()
        commit, how = (
            (self._resolve(base, where="--base"), f"--base {base}")
            if base is not None
            else self._find_base(head, main, is_dirty=dirty is not None)
        )
        return Refs(
            base=commit,
            branch=head,
            base_title=self._title(commit),
            branch_title=self._title(head),
            dirty=dirty,
            how=how,
        )

    @contextmanager
    def base_tree(self, refs: Refs, run_id: str) -> Iterator[Tree]:
        """Check the base out in a worktree, copy the branch's bench in, and give its context; remove it afterwards."""
        with self._worktrees.at(refs.base, run_id) as folder:
            self._copy_bench(folder)
            yield read_tree(folder)

    def branch_tree(self) -> Tree:
        """Give the context of the working tree as it is."""
        return read_tree(self.root)

    def prune(self) -> list[str]:
        """Remove worktrees that a killed run left; return their paths."""
        return self._worktrees.prune()

    def _find_base(self, head: str, main: str | None, *, is_dirty: bool) -> tuple[str, str]:
        name, tip = self._default_branch(main)
        if self._is_on(name) and tip == head:
            if is_dirty:
                return head, f"on {name} with uncommitted changes: compared with HEAD"
            parent = self._try_resolve(f"{head}^1")
            if parent is not None:
                return parent, f"on {name}: compared with its first parent"
            if self._is_shallow():
                msg = f"the commit before HEAD on {name} is not in this clone"
                raise RepoError(msg, hint=_SHALLOW)
            return head, f"on {name} at its first commit: compared with itself"
        bases = self._git("merge-base", "--all", head, tip, codes=(0, 1)).split()
        if len(bases) == 1:
            return bases[0], f"the merge-base with {name}"
        if bases:
            msg = f"HEAD and {name} have {len(bases)} merge-bases"
            raise RepoError(msg, hint="say which commit to compare with: --base REF")
        hint = _SHALLOW if self._is_shallow() else "say --base REF"
        msg = f"HEAD and {name} have no merge-base"
        raise RepoError(msg, hint=hint)

    def _default_branch(self, main: str | None) -> tuple[str, str]:
        if main is not None:
            return main, self._resolve(main, where="--main")
        for name in _DEFAULT_BRANCHES:
            tip = self._try_resolve(name)
            if tip is not None:
                return name, tip
        msg = f"there is no default branch: tried {', '.join(_DEFAULT_BRANCHES)}"
        raise RepoError(msg, hint="name it with --main REF, or the commit with --base REF")

    def _is_on(self, name: str) -> bool:
        """Whether HEAD is the default branch itself, be it named by its remote's.

        A detached HEAD at its tip counts, as CI checks it out.
        """
        if self._repo.head.is_detached:
            return True
        full = self._git("rev-parse", "--symbolic-full-name", name)
        branch = (
            full.split("/", 3)[3]
            if full.startswith("refs/remotes/")
            else full.removeprefix("refs/heads/")
        )
        return self._repo.head.reference.path == f"refs/heads/{branch}"

    def _is_shallow(self) -> bool:
        return self._git("rev-parse", "--is-shallow-repository") == "true"

    def _resolve(self, ref: str, *, where: str) -> str:
        commit = self._try_resolve(ref)
        if commit is None:
            msg = f"{where}: {ref!r} is not a commit of {self.root}"
            raise RepoError(msg, hint="see `git branch --all` and `git tag` for what is")
        return commit

    def _try_resolve(self, ref: str) -> str | None:
        if not ref or "\0" in ref:
            return None
        found = self._git(
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{ref}^{{commit}}",
            codes=(0, 1, 128),
        )
        return found if len(found) in {40, 64} else None

    def _title(self, commit: str) -> str:
        title = self._git("log", "-1", "--format=%s", commit, "--")
        return os.fsencode(title).decode(errors="replace")  # a message may be of any encoding

    def _dirt(self) -> str | None:
        """Hash what the working tree adds to HEAD, outside results/; None when that is nothing."""
        digest = hashlib.sha256()
        diff = self._git(
            "diff",
            "HEAD",
            "--binary",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--",
            _NOT_DIRT,
        )
        digest.update(os.fsencode(diff))
        others = self._git("ls-files", "--others", "--exclude-standard", "-z", "--", _NOT_DIRT)
        names = [name for name in others.split("\0") if name]
        for name in names:
            path = self.root / name
            digest.update(os.fsencode(name) + b"\0" + _content_hash(path))
        return digest.hexdigest() if diff or names else None

    def _copy_bench(self, folder: Path) -> None:
        """Put the branch's bench in place of the base's, of which nothing survives."""
        for name in _BENCH:
            target, source = folder / name, self.root / name
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
            if source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(source, target, symlinks=True, ignore=ignore)
            elif source.exists():
                shutil.copy2(source, target, follow_symlinks=False)
            elif name != ".dockerignore":
                msg = f"the branch has no {name} in {self.root}"
                raise BranchCannotRunError(msg, hint="run it in a checkout that holds the bench")

    def _git(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        try:
            status, out, err = self._repo.git.execute(
                [
                    "git",
                    "-c",
                    "core.hooksPath=/dev/null",
                    "-c",
                    "core.fsmonitor=false",
                    *arguments,
                ],
                with_extended_output=True,
                with_exceptions=False,
            )
        except git.GitCommandNotFound as error:
            msg = "git is not on PATH"
            raise RepoError(msg, hint="install git") from error
        except (OSError, ValueError) as error:  # a text that no program can be given
            msg = f"git {arguments[0]} cannot be run: {error}"
            raise RepoError(msg) from error
        if status not in codes:
            msg = f"git {arguments[0]} failed with exit code {status} in {self.root}"
            raise RepoError(msg, tail=str(err).splitlines()[-5:])
        return str(out) if status == 0 else ""


def _content_hash(path: Path) -> bytes:
    if path.is_symlink():
        return hashlib.sha256(os.fsencode(path.readlink())).digest()
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        msg = f"the untracked file {path} cannot be read: {error.strerror}"
        raise RepoError(msg, hint="see to its permissions, or have git ignore it") from error
