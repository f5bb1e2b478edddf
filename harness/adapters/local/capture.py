"""Read the output of a running cell, and keep its end."""

import os
import selectors
from collections import deque
from collections.abc import Sequence
from typing import IO

from harness.outcome.protocol import ProgressLine, read_output

_CHUNK_BYTES = 1 << 16
_KEPT_BYTES = 32 << 20  # the limit of Docker's log as well
_LONGEST_LINE = 1 << 16
_PROGRESS = b"PROGRESS "


class Capture:
    """The two output streams of a process.

    Endless output fills no memory, and never blocks the process.
    """

    def __init__(self, stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self._selector = selectors.DefaultSelector()
        self._kept = {stdout.fileno(): _Tail(), stderr.fileno(): _Tail()}
        self._stdout, self._stderr = self._kept.values()
        self._line = b""
        self._heard = b""
        for stream in (stdout, stderr):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)

    def read(self, wait_s: float) -> None:
        """Read the available output; wait for it at most `wait_s`."""
        for key, _ in self._selector.select(wait_s):
            chunk = _read(key.fd)
            if chunk == b"":
                self._selector.unregister(key.fileobj)
            elif chunk is not None:
                self._kept[key.fd].add(chunk)
                if self._kept[key.fd] is self._stdout:
                    self._listen(chunk)

    def drain(self) -> None:
        """Read the rest, without waiting for a process that holds the streams open."""
        while self._selector.get_map() and self._selector.select(0):
            self.read(0)

    def close(self) -> None:
        """Stop reading."""
        self._selector.close()

    def take_progress(self) -> ProgressLine | None:
        """Return the last PROGRESS since the last call."""
        heard, self._heard = self._heard, b""
        lines = read_output([heard.decode(errors="replace")]).progress
        return lines[-1] if lines else None

    @property
    def stdout(self) -> Sequence[str]:
        """The last lines of standard output."""
        return self._stdout.lines()

    @property
    def stderr(self) -> Sequence[str]:
        """The last lines of standard error."""
        return self._stderr.lines()

    def _listen(self, chunk: bytes) -> None:
        *whole, self._line = (self._line + chunk).split(b"\n")
        self._line = self._line[:_LONGEST_LINE]
        self._heard = next(
            (line for line in reversed(whole) if line.startswith(_PROGRESS)), self._heard
        )


class _Tail:
    """The last bytes of a stream."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._is_stdin_closed = False

    def add(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size > _KEPT_BYTES:
            self._size -= len(self._chunks.popleft())
            self._is_stdin_closed = True

    def lines(self) -> list[str]:
        """Return the whole lines; the first may have been cut."""
        lines = b"".join(self._chunks).decode(errors="replace").splitlines()
        return lines[1:] if self._is_stdin_closed else lines


def _read(fd: int) -> bytes | None:
    try:
        return os.read(fd, _CHUNK_BYTES)
    except BlockingIOError:
        return None
