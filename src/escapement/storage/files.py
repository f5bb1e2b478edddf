"""The files that a process has open at once: a bound for all of them, and whole reads and writes."""

import os
from queue import SimpleQueue

OPEN_MAX = 256  # however many sessions and threads write at once

# A queue of tokens is a semaphore in C: 0.1 µs to take one and give it back.
_tokens: SimpleQueue[None] = SimpleQueue()
for _ in range(OPEN_MAX):
    _tokens.put(None)


def open_file(path: str, flags: int) -> int:
    """Open a file, and wait for another to be closed if there are too many.

    Args:
        path: What to open; one that is made is for everybody whom the umask lets.
        flags: Those of `os.open`.

    Returns:
        A descriptor for `close_file`. Nobody may hold one while waiting for another.

    Raises:
        OSError: The system won't open it.
        ValueError: The path is not one that a system can have.
    """
    _tokens.get()
    try:
        return os.open(path, flags, 0o666)
    except BaseException:
        _tokens.put(None)
        raise


def close_file(descriptor: int) -> None:
    """Close what `open_file` opened."""
    try:
        os.close(descriptor)
    finally:
        _tokens.put(None)


def write_all(descriptor: int, payload: bytes) -> None:
    """Write every byte, in as many pieces as the system wants.

    Raises:
        OSError: The system won't take them; some may have been written.
    """
    written = os.write(descriptor, payload)
    while written < len(payload):
        written += os.write(descriptor, memoryview(payload)[written:])


def read_file(path: str) -> bytes:
    """Read a whole file.

    Raises:
        OSError: The system won't give it.
    """
    descriptor = open_file(path, os.O_RDONLY)
    try:
        pieces = []
        while piece := os.read(descriptor, 1 << 20):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        close_file(descriptor)
