"""What refs mean: hashes of commits, before anything is done with them."""

import os
from pathlib import Path

from harness.adapters.git.git import Git
from harness.model.errors import RepoError

_DEFAULT_BRANCHES = {  # in full: a tag of that name, which anybody can push, is no branch
    "main": "refs/heads/main",
    "origin/main": "refs/remotes/origin/main",
    "origin/HEAD": "refs/remotes/origin/HEAD",
}
_SHALLOW = "this clone is shallow: git fetch --unshallow"
_LONGEST_REF = 4096
_LONGEST_SHOWN = 200
_NO_COMMIT = (0, 1, 128)


class GitRefs:
    """The commits of a repository by what people call them.

    Args:
        git: Runs in its working tree.
        root: The same, for messages.
    """

    def __init__(self, git: Git, root: Path) -> None:
        self._git = git
        self._root = root

    def resolve(self, ref: str, *, where: str) -> str:
        """Return the hash of the commit that a ref names.

        Args:
            ref: Whatever was typed.
            where: The flag that it came from, for a message about it.

        Raises:
            RepoError: It names none, or two.
        """
        commit = self.try_resolve(ref)
        if commit is None:
            msg = f"{where}: {shown(ref)!r} is not a commit of {self._root}"
            raise RepoError(msg, hint="see `git branch --all` and `git tag` for what is")
        kinds = ("heads", "tags") if ref != "HEAD" else ()
        named = {self.try_resolve(f"refs/{kind}/{ref}") for kind in kinds} - {None}
        if len(named) > 1:
            msg = f"{where}: {shown(ref)!r} is a branch and a tag, of two commits"
            raise RepoError(msg, hint="write refs/heads/NAME or refs/tags/NAME")
        return commit

    def try_resolve(self, ref: str) -> str | None:
        """Return the hash of the commit that a ref names; None where it names none."""
        if not ref or "\0" in ref or len(ref) > _LONGEST_REF:
            return None
        found = self._verify(ref)  # apart from what follows, which would be part of a `:/search`
        return self._verify(f"{found}^{{commit}}") if found else None

    def find_base(self, head: str, main: str | None, *, is_dirty: bool) -> tuple[str, str]:
        """Return the commit to compare with where nobody named one, and how it was chosen.

        Args:
            head: The branch's commit.
            main: What the default branch is called; None for the usual names.
            is_dirty: Whether the working tree holds more than `head`.

        Raises:
            RepoError: There is not exactly one such commit.
        """
        name, full = self._default_branch(main)
        tip = self.resolve(full, where="--main")
        if self._is_on(full) and tip == head:
            return self._base_on_default(head, shown(name), is_dirty=is_dirty)
        bases = self._git.run("merge-base", "--all", head, tip, codes=(0, 1)).split()
        if len(bases) == 1:
            return bases[0], f"the merge-base with {shown(name)}"
        if bases:
            msg = f"HEAD and {shown(name)} have {len(bases)} merge-bases"
            raise RepoError(msg, hint="say which commit to compare with: --base REF")
        hint = _SHALLOW if self._is_shallow() else "say --base REF"
        msg = f"HEAD and {shown(name)} have no merge-base"
        raise RepoError(msg, hint=hint)

    def title(self, commit: str) -> str:
        """Return the first line of a commit's message, cut where it is long.

        Args:
            commit: A full hash.
        """
        return shown(self._git.run("log", "-1", "--no-notes", "--format=%s", commit, "--"))

    def _base_on_default(self, head: str, name: str, *, is_dirty: bool) -> tuple[str, str]:
        if is_dirty:
            return head, f"on {name} with uncommitted changes: compared with HEAD"
        parent = self.try_resolve(f"{head}^1")
        if parent is not None:
            return parent, f"on {name}: compared with its first parent"
        if self._is_shallow():
            msg = f"the commit before HEAD on {name} is not in this clone"
            raise RepoError(msg, hint=_SHALLOW)
        return head, f"on {name} at its first commit: compared with itself"

    def _default_branch(self, main: str | None) -> tuple[str, str]:
        """Return what the default branch is called, and its ref in full where it is one."""
        if main is not None:
            for full in (f"refs/heads/{main}", f"refs/remotes/{main}"):
                if self.try_resolve(full) is not None:
                    return main, full
            self.resolve(main, where="--main")
            return main, main
        for name, full in _DEFAULT_BRANCHES.items():
            if self.try_resolve(full) is not None:
                return name, full
        msg = f"there is no default branch: tried {', '.join(_DEFAULT_BRANCHES)}"
        raise RepoError(msg, hint="name it with --main REF, or the commit with --base REF")

    def _is_on(self, ref: str) -> bool:
        """Whether HEAD is the default branch itself, be it named by its remote's.

        A detached HEAD at its tip counts, as CI checks it out.
        """
        current = self._git.run("symbolic-ref", "--quiet", "HEAD", codes=(0, 1))
        if not current:
            return True
        full = self._full_name(ref)
        branch = (
            full.split("/", 3)[3]
            if full.startswith("refs/remotes/")
            else full.removeprefix("refs/heads/")
        )
        return current == f"refs/heads/{branch}"

    def _full_name(self, ref: str) -> str:
        words = ("rev-parse", "--verify", "--quiet", "--symbolic-full-name", "--end-of-options")
        return self._git.run(*words, ref, codes=_NO_COMMIT)

    def _verify(self, text: str) -> str | None:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options")
        found = self._git.run(*words, text, codes=_NO_COMMIT)
        return found if len(found) in {40, 64} else None

    def _is_shallow(self) -> bool:
        return self._git.run("rev-parse", "--is-shallow-repository") == "true"


def shown(text: str) -> str:
    """Return a title or a ref as text that can be stored and stands in a line: a message may be of any encoding, and of any length."""
    whole = os.fsencode(text).decode(errors="replace")
    return whole if len(whole) <= _LONGEST_SHOWN else f"{whole[: _LONGEST_SHOWN - 1]}…"
