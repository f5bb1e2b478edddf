"""The uncommitted changes of a working tree, as one hash that takes bounded time."""

import hashlib
import os
import stat
from pathlib import Path

from harness.adapters.git.git import Git
from harness.adapters.host.files import read_plain
from harness.model.errors import RepoError

_NOT_RESULTS = ":(top,exclude)results"
_FILE_BYTES = 64 << 20
_ALL_BYTES = 256 << 20


def hash_changes(git: Git, root: Path) -> str | None:
    """Return a hash of all changes against HEAD outside results/; None without any.

    Files are hashed as they are on disk, without filters. A large file, and each file after the first 256 MiB, counts by its size
    and its time: it may be anything, and the build context has hashes of its own.

    Raises:
        RepoError: Git fails, or a file cannot be read.
    """
    changed = _find_changed(git)
    digest, left = hashlib.sha256(), _ALL_BYTES
    for kind, name in changed:
        content, read = _hash_content(root / name, left)
        left -= read
        digest.update(os.fsencode(f"{kind} {name}") + b"\0" + content)
    return digest.hexdigest() if changed else None


def _find_changed(git: Git) -> list[tuple[str, str]]:
    """Return (kind of change and mode, path) of each changed and each new file.

    Git prints names alone: the content would go through the attributes of the branch.
    """
    options = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv")
    text = git.run("diff", *options, "--ignore-submodules=all", "HEAD", "--", _NOT_RESULTS)
    fields = text.split("\0")
    changed = []
    for entry, name in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, _, kind = entry.split(" ")
        changed.append((f"{kind} {mode}", name))
    text = git.run("ls-files", "--others", "--exclude-standard", "-z", "--", _NOT_RESULTS)
    return changed + [("?", name) for name in text.split("\0") if name]


def _hash_content(path: Path, left: int) -> tuple[bytes, int]:
    """Return a hash of a file or of a link's target, and the number of bytes read."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return hashlib.sha256(os.fsencode(path.readlink())).digest(), 0
        if not stat.S_ISREG(found.st_mode):
            return b"", 0
        limit_bytes = min(_FILE_BYTES, left)
        if found.st_size > limit_bytes:
            stamp = f"{found.st_size} bytes at {found.st_mtime_ns}"
            return hashlib.sha256(stamp.encode()).digest(), 0
        content = read_plain(path, limit_bytes=limit_bytes)
        return hashlib.sha256(content).digest(), len(content)
    except FileNotFoundError:  # deleted: the change itself
        return b"", 0
    except OSError as error:
        msg = f"the changed file {path} cannot be read: {error.strerror}"
        raise RepoError(msg, hint="fix its permissions, or let git ignore it") from error
