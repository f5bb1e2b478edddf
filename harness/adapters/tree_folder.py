"""A side's tree as files of this machine."""

import os
from pathlib import Path

from harness.tree import Entry, Tree


def write_tree(folder: Path, tree: Tree) -> None:
    """Write the entries of a tree below a folder, readable by everybody.

    Args:
        folder: Is made where it is missing.
        tree: Its links are kept as links and never followed.
    """
    for entry in tree.entries:
        _write(folder / entry.path, entry)


def _write(path: Path, entry: Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "link":
        path.symlink_to(os.fsdecode(entry.content))
    else:
        path.write_bytes(entry.content)
        path.chmod(0o755 if entry.executable else 0o644)
