"""Files that may be anything: read within a bound, never a link or a pipe."""

import errno
import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_plain(path: Path, *, limit_bytes: int) -> bytes:
    """Return the content of a regular file.

    The open file is checked, not its path: no link or pipe can take its place in between.

    Args:
        path: Its folder may be reached through links.
        limit_bytes: The largest content that is read.

    Raises:
        OSError: It is not a regular file (a link is ELOOP), is too large (EFBIG), or cannot be read.
    """
    with open(path, "rb", opener=_open) as file:  # Path.open has no opener
        found = os.fstat(file.fileno())
        # a growing file, and one of /proc, has more content than its size
        content = b"" if found.st_size > limit_bytes else file.read(limit_bytes + 1)
    if found.st_size > limit_bytes or len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"it holds more than {limit_bytes >> 20} MiB", str(path))
    return content


def _open(path: str, _flags: int) -> int:
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return descriptor
