"""Build contexts: read by the allow-list and within bounds, and written."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from harness.adapters.host.files import read_plain
from harness.model.errors import RepoError
from harness.model.tree import ALLOWED, Entry, Tree

_LEFT_OUT = ("__pycache__",)
_LEFT_OUT_SUFFIXES = (".pyc", ".egg-info")
_FILE_BYTES = 64 << 20
_ALL_BYTES = 256 << 20
_ALL_ENTRIES = 100_000
_DEEPEST = 100  # writing and removing folders recurses
_TOO_MUCH = "keep sources alone in src/ and harness/probe/"


def read_tree(root: Path, allowed: Sequence[str] = ALLOWED) -> Tree:
    """Return the files of the allow-list below a folder; follow no link.

    Raises:
        RepoError: An entry is neither a file nor a link nor a folder, or cannot be read, or the tree is too large.
    """
    entries: list[Entry] = []
    left = _ALL_BYTES
    try:
        for path in _find_paths(root, allowed):
            entry = _read(root, path)
            entries.append(entry)
            left -= len(entry.content)
            if left < 0 or len(entries) > _ALL_ENTRIES:
                bounds = f"{_ALL_BYTES >> 20} MiB or {_ALL_ENTRIES:,} files"
                msg = f"the build context of {root} holds more than {bounds}"
                raise RepoError(msg, hint=_TOO_MUCH)
    except OSError as error:
        msg = f"cannot read {error.filename}: {error.strerror}"
        raise RepoError(msg, hint="fix it, or remove it from the build context") from error
    return Tree(tuple(sorted(entries, key=lambda entry: os.fsencode(entry.path))))


def _find_paths(root: Path, allowed: Sequence[str]) -> Iterator[Path]:
    """Yield everything but folders."""
    waiting = [root / name for name in allowed if not _is_behind_a_link(root, root / name)]
    while waiting:
        path = waiting.pop()
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not stat.S_ISDIR(found.st_mode):
            yield path
            continue
        if len(path.relative_to(root).parts) > _DEEPEST:
            msg = f"the build context of {root} holds folders more than {_DEEPEST} deep"
            raise RepoError(msg, hint=_TOO_MUCH)
        waiting += (child for child in path.iterdir() if not _is_left_out(child))


def _is_left_out(path: Path) -> bool:
    return path.name in _LEFT_OUT or path.suffix in _LEFT_OUT_SUFFIXES


def _is_behind_a_link(root: Path, path: Path) -> bool:
    """Return whether a folder on the way is a link: it may lead out of the tree."""
    return any(parent.is_symlink() for parent in path.parents if root in parent.parents)


def _read(root: Path, path: Path) -> Entry:
    name, mode = path.relative_to(root).as_posix(), path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Entry(path=name, kind="link", content=os.fsencode(path.readlink()))
    if not stat.S_ISREG(mode):
        msg = f"{path} is neither a file nor a folder nor a link"
        raise RepoError(msg, hint="remove it from the build context")
    content = read_plain(path, limit_bytes=_FILE_BYTES)
    return Entry(path=name, kind="file", content=content, executable=bool(mode & stat.S_IXUSR))


def write_tree(folder: Path, tree: Tree) -> None:
    """Write a tree below a folder, readable by all users; write links as links.

    Args:
        folder: Made if missing.
        tree: No entry of it may exist yet.

    Raises:
        RepoError: An entry leads out of the folder.
    """
    links = {PurePosixPath(entry.path) for entry in tree.entries if entry.kind == "link"}
    for entry in tree.entries:
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts or not links.isdisjoint(path.parents):
            msg = f"{entry.path!r} of the build context leads out of it"
            raise RepoError(msg, hint="remove it from the build context")
        _write(folder / path, entry)


def _write(path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "link":
        path.symlink_to(os.fsdecode(entry.content))
    else:
        path.write_bytes(entry.content)
        path.chmod(0o755 if entry.executable else 0o644)
