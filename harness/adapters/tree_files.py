"""Reading a build context from a folder, by the allow-list."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.errors import RepoError
from harness.tree import ALLOWED, Entry, Tree

_LEFT_OUT = ("__pycache__",)
_LEFT_OUT_SUFFIXES = (".pyc", ".egg-info")


def read_tree(root: Path) -> Tree:
    """Read the allow-list below a folder, untracked files included, links unfollowed.

    Raises:
        RepoError: Something there is neither a file nor a link nor a folder, or cannot be read.
    """
    entries: list[Entry] = []
    try:
        for allowed in ALLOWED:
            entries.extend(_walk(root, root / allowed))
    except OSError as error:
        msg = f"cannot read {error.filename}: {error.strerror}"
        raise RepoError(msg, hint="see to its permissions") from error
    return Tree(tuple(sorted(entries, key=lambda entry: os.fsencode(entry.path))))


def _walk(root: Path, path: Path) -> Iterator[Entry]:
    if _goes_through_a_link(root, path):
        return
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        for child in sorted(path.iterdir()):
            if child.name not in _LEFT_OUT and child.suffix not in _LEFT_OUT_SUFFIXES:
                yield from _walk(root, child)
        return
    name = path.relative_to(root).as_posix()
    if stat.S_ISLNK(found.st_mode):
        yield Entry(path=name, kind="link", content=os.fsencode(path.readlink()))
    elif stat.S_ISREG(found.st_mode):
        executable = bool(found.st_mode & stat.S_IXUSR)
        yield Entry(path=name, kind="file", content=path.read_bytes(), executable=executable)
    else:
        msg = f"{path} is neither a file nor a folder nor a link"
        raise RepoError(msg, hint="take it out of the build context")


def _goes_through_a_link(root: Path, path: Path) -> bool:
    """A folder on the way that is a link could lead out of the tree."""
    return any(parent.is_symlink() for parent in path.parents if root in parent.parents)
