"""Detached worktrees that are locked with the run's id and always removed."""

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
_WHOLE = ("core.sparseCheckout", "false")  # else a base has only what this checkout shows of it


class Worktrees:
    """The worktrees that the bench makes of a repository.

    Args:
        git: Runs in one of its working trees.
    """

    def __init__(self, git: Git) -> None:
        self._git = git

    @contextmanager
    def at(self, commit: str, run_id: str) -> Iterator[Path]:
        """Give a worktree of a commit, outside the checkout, for as long as the block runs.

        Args:
            commit: A full hash.
            run_id: The reason of its lock, by which its owner can be found.

        Raises:
            RepoError: Git cannot make it.
        """
        if not _HASH.fullmatch(commit):
            msg = f"{commit[:80]!r} is not the full hash of a commit"
            raise RepoError(msg, hint="was the record of the run changed?")
        try:
            parent = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{run_id}-"))
        except OSError as error:
            msg = f"there is no folder to be made for temporary files: {error.strerror}"
            raise RepoError(msg, hint="make room, or name another with TMPDIR") from error
        folder = parent / "tree"
        try:
            self._worktree("add", "--detach", "--lock", "--reason", run_id, str(folder), commit)
            yield folder
        finally:
            try:
                self._remove(folder)
            finally:
                shutil.rmtree(parent, ignore_errors=True)

    def prune(self, run_id: str | None = None) -> list[str]:
        """Remove the worktrees of a run, or those whose owner is no longer alive; return their paths."""
        removed = []
        for folder, reason in self._ours():
            if reason == run_id or (run_id is None and not is_alive(reason)):
                self._remove(folder)
                shutil.rmtree(folder.parent, ignore_errors=True)
                removed.append(str(folder))
        return removed + _remove_unknown(run_id)

    def _ours(self) -> list[tuple[Path, str]]:
        """Return (folder, reason of its lock) of what was made here; anybody else's is passed over."""
        listing = self._worktree("list", "--porcelain")
        found = []
        for block in listing.split("\n\n"):
            lines = dict(line.partition(" ")[::2] for line in block.splitlines())
            folder = Path(lines.get("worktree", ""))
            if folder.parent.name.startswith(_PREFIX) and folder.name == "tree":
                found.append((folder, lines.get("locked", "")))
        return found

    def _remove(self, folder: Path) -> None:
        """Remove a worktree that may be locked, half made, or gone already."""
        if not self._is_known(folder):
            return
        try:
            self._worktree("remove", "--force", "--force", str(folder))
        except RepoError:  # half made; git removes one whose folder is missing
            shutil.rmtree(folder, ignore_errors=True)
            if self._is_known(folder):  # an interrupted `add` takes its own entry back
                self._worktree("remove", "--force", "--force", str(folder))

    def _is_known(self, folder: Path) -> bool:
        return f"worktree {folder.resolve()}" in self._worktree("list", "--porcelain").splitlines()

    def _worktree(self, *arguments: str) -> str:
        return self._git.run("worktree", *arguments, settings=[_WHOLE])


def _remove_unknown(run_id: str | None) -> list[str]:
    """Remove the folders of a run, or of those that are no longer alive, that git here knows nothing of; return their paths.

    Such a run was killed before git had put a worktree there, or had one of another repository, which gets over that.
    """
    removed = []
    try:
        place = Path(tempfile.gettempdir())
    except OSError:  # nothing can be made there, and so nothing was
        return []
    for parent in sorted(place.glob(f"{_PREFIX}esc-*")):
        owner = parent.name.removeprefix(_PREFIX).rpartition("-")[0]
        if (owner == run_id if run_id else not is_alive(owner)) and _is_own_folder(parent):
            shutil.rmtree(parent, ignore_errors=True)
            removed.append(str(parent))
    return removed


def _is_own_folder(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # its owner has removed it meanwhile
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
