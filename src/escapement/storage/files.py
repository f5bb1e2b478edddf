"""Complete reads and writes of files, with a limit of open files per process."""

import os
from queue import SimpleQueue

OPEN_MAX = 256  # for all sessions and threads

# A queue of tokens is a semaphore in C: 0.1 µs to take one and give it back.
_tokens: SimpleQueue[None] = SimpleQueue()
for _ in range(OPEN_MAX):
    _tokens.put(None)


def open_file(path: str, flags: int) -> int:
    """Open a file; wait while too many files are open.

    Args:
        path: The file; a new one gets the permissions that the umask allows.
        flags: The flags of `os.open`.

    Returns:
        A descriptor for `close_file`. Never hold one while opening another.

    Raises:
        OSError: The system cannot open the file.
        ValueError: The path is invalid.
    """
    _tokens.get()
    try:
        return os.open(path, flags, 0o666)
    except BaseException:
        _tokens.put(None)
        raise


def close_file(descriptor: int) -> None:
    """Close a descriptor of `open_file`."""
    try:
        os.close(descriptor)
    finally:
        _tokens.put(None)


def write_all(descriptor: int, payload: bytes) -> None:
    """Write all bytes, also when the system writes only a part of them at a time.

    Raises:
        OSError: The write failed; some bytes may have been written.
    """
    written = os.write(descriptor, payload)
    while written < len(payload):
        written += os.write(descriptor, memoryview(payload)[written:])


def read_file(path: str) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: The file cannot be read.
    """
    descriptor = open_file(path, os.O_RDONLY)
    try:
        pieces = []
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        close_file(descriptor)
