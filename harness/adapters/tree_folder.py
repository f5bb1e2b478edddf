"""A side's tree as files of this machine."""

import os
from pathlib import Path, PurePosixPath

from harness.errors import RepoError
from harness.tree import Entry, Tree


def write_tree(folder: Path, tree: Tree) -> None:
    """Write the entries of a tree below a folder, readable by everybody.

    Args:
        folder: Is made where it is missing; it holds nothing of the tree yet.
        tree: Its links are kept as links and never followed.

    Raises:
        RepoError: An entry would be written outside of the folder.
    """
    links = {PurePosixPath(entry.path) for entry in tree.entries if entry.kind == "link"}
    for entry in tree.entries:
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts or not links.isdisjoint(path.parents):
            msg = f"{entry.path!r} of the build context leads out of it"
            raise RepoError(msg, hint="take it out of the build context")
        _write(folder / path, entry)


def _write(path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "link":
        path.symlink_to(os.fsdecode(entry.content))
    else:
        path.write_bytes(entry.content)
        path.chmod(0o755 if entry.executable else 0o644)
