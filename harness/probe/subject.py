"""Identify the loaded runtime: its folder, its version and the hash of its sources."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


def describe_subject(package: ModuleType) -> dict[str, str]:
    """Return the `path`, `version` and `hash` of a loaded package."""
    folder = Path(str(package.__file__)).resolve().parent
    version = str(getattr(package, "__version__", ""))
    return {"path": str(folder), "version": version, "hash": hash_sources(folder)}


def hash_sources(folder: Path) -> str:
    """Return the hash of all sources below a folder.

    The hash covers the files in the order of their paths' bytes. For each file: its POSIX path
    from the folder, NUL, its length in decimal, NUL, its content. For a link: its path, NUL,
    ``->``, its target, NUL; links are not followed. ``__pycache__`` and ``*.pyc`` are ignored.

    Returns:
        SHA-256, 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, path in sorted(_sources(folder)):
        digest.update(name + b"\0")
        if path.is_symlink():
            digest.update(b"->" + os.fsencode(path.readlink()) + b"\0")
        else:
            content = path.read_bytes()
            digest.update(str(len(content)).encode() + b"\0" + content)
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[tuple[bytes, Path]]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*files, *folders):
            path = Path(parent, name)
            is_source = path.is_symlink() or path.is_file()
            if is_source and not name.endswith(".pyc"):
                yield os.fsencode(path.relative_to(folder).as_posix()), path
