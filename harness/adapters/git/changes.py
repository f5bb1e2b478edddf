"""What a working tree adds to its commit, as one hash that takes a bounded time to find."""

import hashlib
import os
import stat
from pathlib import Path

from harness.adapters.git.git import Git
from harness.adapters.host.files import hash_plain
from harness.model.errors import RepoError

_NOT_DIRT = ":(top,exclude)results"
_FILE_BYTES = 64 << 20
_ALL_BYTES = 256 << 20


def find_dirt(git: Git, root: Path) -> str | None:
    """Hash what the working tree adds to HEAD, outside results/; None when that is nothing.

    Files are hashed as they lie there, not as a filter would have them. One that is large, or that comes after 256 MiB of
    others, counts by its size and its time: what is outside the context may be anything, and the context is hashed elsewhere.

    Raises:
        RepoError: Git cannot tell, or a file cannot be read.
    """
    changed = _changed(git)
    others = git.run("ls-files", "--others", "--exclude-standard", "-z", "--", _NOT_DIRT)
    new = [("?", name) for name in others.split("\0") if name]
    digest, left = hashlib.sha256(), _ALL_BYTES
    for how, name in (*changed, *new):
        content, read = _content_hash(root / name, left)
        left -= read
        digest.update(os.fsencode(f"{how} {name}") + b"\0" + content)
    return digest.hexdigest() if changed or new else None


def _changed(git: Git) -> list[tuple[str, str]]:
    """Return (mode and kind of change, path) of what differs from HEAD, in the index or out of it.

    Names alone are asked for: what git would show of a file goes through whatever its attributes say.
    """
    words = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv")
    text = git.run("diff", *words, "--ignore-submodules=all", "HEAD", "--", _NOT_DIRT)
    fields = text.split("\0")
    found = []
    for what, name in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, _, kind = what.split(" ")
        found.append((f"{kind} {mode}", name))
    return found


def _content_hash(path: Path, left: int) -> tuple[bytes, int]:
    """Hash a link by its target and a file by its content, and nothing else by its name alone; return how much was read."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return hashlib.sha256(os.fsencode(path.readlink())).digest(), 0
        if not stat.S_ISREG(mode):
            return b"", 0
        return hash_plain(path, limit_bytes=min(_FILE_BYTES, left))
    except FileNotFoundError:  # deleted, which is the change
        return b"", 0
    except OSError as error:
        msg = f"the changed file {path} cannot be read: {error.strerror}"
        raise RepoError(msg, hint="see to its permissions, or have git ignore it") from error
