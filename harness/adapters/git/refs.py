"""Refs as they are typed, resolved to hashes of commits before anything uses them."""

import os
from pathlib import Path

from harness.adapters.git.git import Git
from harness.model.errors import RepoError

_DEFAULT_BRANCHES = {  # full names: anybody can push a tag that is named like a branch
    "main": "refs/heads/main",
    "origin/main": "refs/remotes/origin/main",
    "origin/HEAD": "refs/remotes/origin/HEAD",
}
_SHALLOW = "this clone is shallow: git fetch --unshallow"
_LONGEST_REF = 4096
_LONGEST_SHOWN = 200
_VERIFY = ("rev-parse", "--verify", "--quiet")
_NO_COMMIT = (0, 1, 128)


class RefResolver:
    """The commits of a repository, by their names.

    Args:
        git: Git in its working tree.
        root: The working tree, for messages.
    """

    def __init__(self, git: Git, root: Path) -> None:
        self._git = git
        self._root = root

    def resolve(self, ref: str, *, where: str) -> str:
        """Return the hash of the commit that a ref names.

        Args:
            ref: Any text.
            where: The flag that it came from, for messages.

        Raises:
            RepoError: It names no commit, or two.
        """
        commit = self._find(ref)
        if commit is None:
            msg = f"{where}: {shorten(ref)!r} is not a commit of {self._root}"
            raise RepoError(msg, hint="`git branch --all` and `git tag` list the names")
        kinds = ("heads", "tags") if ref != "HEAD" else ()
        named = {self._find(f"refs/{kind}/{ref}") for kind in kinds} - {None}
        if len(named) > 1:
            msg = f"{where}: {shorten(ref)!r} is a branch and a tag, of two commits"
            raise RepoError(msg, hint="write refs/heads/NAME or refs/tags/NAME")
        return commit

    def find_base(self, head: str, main: str | None, *, is_dirty: bool) -> tuple[str, str]:
        """Return the commit to compare with if none was named, and how it was chosen.

        Args:
            head: The branch's commit.
            main: The name of the default branch; None for the usual names.
            is_dirty: Whether the working tree has uncommitted changes.

        Raises:
            RepoError: There is no such commit, or more than one.
        """
        name, full = self._find_default_branch(main)
        tip = self.resolve(full, where="--main")
        if tip == head and self._is_on(full):
            return self._find_base_on_default(head, shorten(name), is_dirty=is_dirty)
        bases = self._git.run("merge-base", "--all", head, tip, codes=(0, 1)).split()
        if len(bases) == 1:
            return bases[0], f"the merge-base with {shorten(name)}"
        if bases:
            msg = f"HEAD and {shorten(name)} have {len(bases)} merge-bases"
            raise RepoError(msg, hint="name the commit to compare with: --base REF")
        hint = _SHALLOW if self._is_shallow() else "name the commit to compare with: --base REF"
        msg = f"HEAD and {shorten(name)} have no merge-base"
        raise RepoError(msg, hint=hint)

    def title(self, commit: str) -> str:
        """Return the first line of a commit's message.

        Args:
            commit: A full hash.
        """
        return shorten(self._git.run("log", "-1", "--no-notes", "--format=%s", commit, "--"))

    def _find_base_on_default(self, head: str, name: str, *, is_dirty: bool) -> tuple[str, str]:
        if is_dirty:
            return head, f"on {name} with uncommitted changes: compared with HEAD"
        parent = self._find(f"{head}^1")
        if parent is not None:
            return parent, f"on {name}: compared with its first parent"
        if self._is_shallow():
            msg = f"the commit before HEAD on {name} is not in this clone"
            raise RepoError(msg, hint=_SHALLOW)
        return head, f"on {name} at its first commit: compared with itself"

    def _find_default_branch(self, main: str | None) -> tuple[str, str]:
        """Return the name of the default branch, and its full ref if it is a branch."""
        if main is not None:
            for full in (f"refs/heads/{main}", f"refs/remotes/{main}"):
                if self._find(full) is not None:
                    return main, full
            return main, main
        for name, full in _DEFAULT_BRANCHES.items():
            if self._find(full) is not None:
                return name, full
        msg = f"there is no default branch: tried {', '.join(_DEFAULT_BRANCHES)}"
        raise RepoError(msg, hint="name it with --main REF, or the commit with --base REF")

    def _is_on(self, ref: str) -> bool:
        """Return whether HEAD is a branch, named by itself or by its remote.

        A detached HEAD counts as the branch: CI checks commits out like that.
        """
        current = self._git.run("symbolic-ref", "--quiet", "HEAD", codes=(0, 1))
        if not current:
            return True
        words = (*_VERIFY, "--symbolic-full-name", "--end-of-options")
        full = self._git.run(*words, ref, codes=_NO_COMMIT)
        if full.startswith("refs/remotes/"):
            return current == f"refs/heads/{full.split('/', 3)[3]}"
        return current == full

    def _find(self, ref: str) -> str | None:
        """Return the hash of the commit that a ref names; None if it names none."""
        if not ref or "\0" in ref or len(ref) > _LONGEST_REF:
            return None
        found = self._verify(ref)  # apart: a suffix would belong to the text of `:/search`
        return self._verify(f"{found}^{{commit}}") if found else None

    def _verify(self, text: str) -> str | None:
        found = self._git.run(*_VERIFY, "--end-of-options", text, codes=_NO_COMMIT)
        return found if len(found) in {40, 64} else None

    def _is_shallow(self) -> bool:
        return self._git.run("rev-parse", "--is-shallow-repository") == "true"


def shorten(text: str) -> str:
    """Return a title or a ref of any encoding as text, cut if it is long."""
    whole = os.fsencode(text).decode(errors="replace")
    return whole if len(whole) <= _LONGEST_SHOWN else f"{whole[: _LONGEST_SHOWN - 1]}…"
