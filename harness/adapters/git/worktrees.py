"""Detached worktrees, each locked with its run's id and always removed."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.adapters.git.git import Git
from harness.adapters.host.owner import is_alive
from harness.model.errors import RepoError

_PREFIX = "esc-bench-base-"
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WHOLE = ("core.sparseCheckout", "false")  # else the base lacks what this checkout leaves out


class Worktrees:
    """The worktrees that the bench makes of a repository.

    Args:
        git: Git in one of its working trees.
    """

    def __init__(self, git: Git) -> None:
        self._git = git

    @contextmanager
    def at(self, commit: str, run_id: str) -> Iterator[Path]:
        """Yield a worktree of a commit, outside the checkout; remove it afterwards.

        Args:
            commit: A full hash.
            run_id: The reason of its lock, which names its owner.

        Raises:
            RepoError: The worktree cannot be made.
        """
        if not _HASH.fullmatch(commit):
            msg = f"{commit[:80]!r} is not the full hash of a commit"
            raise RepoError(msg, hint="restore the record of the run from a copy")
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{run_id}-"), "tree")
        except OSError as error:
            msg = f"no temporary folder can be made: {error.strerror}"
            hint = "free disk space, or set TMPDIR to a folder that can be written to"
            raise RepoError(msg, hint=hint) from error
        try:
            self._worktree("add", "--detach", "--lock", "--reason", run_id, str(folder), commit)
            yield folder
        finally:
            self._remove(folder)

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or those of dead runs; return their paths."""
        removed = []
        for folder, owner in self._find_ours():
            if _is_wanted(owner, run_id):
                self._remove(folder)
                removed.append(str(folder))
        return removed + _remove_unknown(run_id)

    def _find_ours(self) -> list[tuple[Path, str]]:
        """Return (folder, reason of its lock) of each worktree that the bench made."""
        found = []
        for block in self._worktree("list", "--porcelain").split("\n\n"):
            lines = dict(line.partition(" ")[::2] for line in block.splitlines())
            folder = Path(lines.get("worktree", ""))
            if folder.parent.name.startswith(_PREFIX) and folder.name == "tree":
                found.append((folder, lines.get("locked", "")))
        return found

    def _remove(self, folder: Path) -> None:
        """Remove a worktree that may be locked, half made, or unknown to git."""
        place = folder.resolve()
        shutil.rmtree(
            folder.parent, ignore_errors=True
        )  # git removes a worktree without a folder too
        try:
            self._worktree("remove", "--force", "--force", str(folder))
        except RepoError:
            if f"worktree {place}" in self._worktree("list", "--porcelain").splitlines():
                raise

    def _worktree(self, *arguments: str) -> str:
        return self._git.run("worktree", *arguments, settings=[_WHOLE])


def _is_wanted(owner: str, run_id: str | None) -> bool:
    return owner == run_id if run_id else not is_alive(owner)


def _remove_unknown(run_id: str | None) -> list[str]:
    """Remove the folders of a run, or of dead runs, that git does not know.

    Such a run was killed before git made its worktree, or had a worktree of another repository.
    """
    removed = []
    try:
        place = Path(tempfile.gettempdir())
    except OSError:  # nothing can be made there, so nothing was
        return []
    for parent in sorted(place.glob(f"{_PREFIX}esc-*")):
        owner = parent.name.removeprefix(_PREFIX).rpartition("-")[0]
        if _is_wanted(owner, run_id) and _is_own_folder(parent):
            shutil.rmtree(parent, ignore_errors=True)
            removed.append(str(parent))
    return removed


def _is_own_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # its owner has just removed it
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
