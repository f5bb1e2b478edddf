"""Passing on what the worker writes, and keeping the last of it."""

from collections import deque
from collections.abc import Callable

_KEPT_LINES = 20
_LONGEST_LINE_BYTES = 2000
_PASSED_BYTES = 1 << 20


class StderrTail:
    """Passes on the first MiB and keeps the last 20 lines, however much there is.

    Args:
        write: Takes the bytes that are passed on.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._budget_bytes = _PASSED_BYTES
        self._lines: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._open = b""

    def feed(self, chunk: bytes) -> None:
        """Take what has been read."""
        self._pass_on(chunk)
        *whole, rest = (self._open + chunk).split(b"\n")
        self._lines.extend(line[:_LONGEST_LINE_BYTES] for line in whole[-_KEPT_LINES:])
        self._open = rest[:_LONGEST_LINE_BYTES]

    def lines(self) -> list[str]:
        """Return the last lines, oldest first, the unfinished one included."""
        kept = [*self._lines, self._open] if self._open else list(self._lines)
        return [line.decode("utf-8", "replace") for line in kept[-_KEPT_LINES:]]

    def _pass_on(self, chunk: bytes) -> None:
        if self._budget_bytes <= 0:
            return
        self._write(chunk[: self._budget_bytes])
        self._budget_bytes -= len(chunk)
        if self._budget_bytes <= 0:
            self._write(b"\n[harness.probe: the rest of the worker's output is not passed on]\n")
