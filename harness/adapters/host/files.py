"""Reading files that may be anything: never through a link, never waiting for a pipe, never more than a bound."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1 << 20


@contextmanager
def open_plain(path: Path) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """Open a regular file for as long as the block runs; give it, and what it was when it was opened.

    What is looked at is what was opened: nobody can put a link or a pipe in its place in between.

    Raises:
        OSError: It is something else (a link is ELOOP), or cannot be opened.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        yield file, found


def read_plain(path: Path, *, limit_bytes: int) -> bytes:
    """Return all of a regular file.

    Args:
        path: Where it is; its folder may be reached through links.
        limit_bytes: The most that it may hold.

    Raises:
        OSError: It is something else, holds more (EFBIG), or cannot be read.
    """
    with open_plain(path) as (file, found):
        # a file that grows, or one of /proc, has no size that could be believed
        content = b"" if found.st_size > limit_bytes else file.read(limit_bytes + 1)
        if found.st_size > limit_bytes or len(content) > limit_bytes:
            raise OSError(errno.EFBIG, f"it holds more than {limit_bytes >> 20} MiB", str(path))
        return content


def hash_plain(path: Path, *, limit_bytes: int) -> tuple[bytes, int]:
    """Return a digest of a regular file, and how much of it was read.

    Args:
        path: Where it is.
        limit_bytes: A file that holds more is told by its size and its time alone, and nothing of it is read.

    Raises:
        OSError: It is something else, or cannot be read.
    """
    digest, read = hashlib.sha256(), 0
    with open_plain(path) as (file, found):
        if found.st_size > limit_bytes:
            digest.update(f"{found.st_size} bytes at {found.st_mtime_ns}".encode())
            return digest.digest(), 0
        while read < found.st_size and (chunk := file.read(_CHUNK_BYTES)):
            digest.update(chunk)
            read += len(chunk)
    return digest.digest(), read
