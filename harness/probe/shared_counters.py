"""Counters in shared memory: the worker writes, the supervisor reads."""

import mmap
import os
from typing import Self

_SLOTS = 4
_DONE, _ERRORS, _DELTAS_OF_LOOP, _DELTAS_OF_THREADS = range(_SLOTS)
_SIZE_BYTES = 8 * _SLOTS


class SharedCounters:
    """Sessions ended, sessions failed and tokens delivered so far.

    A write costs the worker a store and takes no thread, lock or message, so it also gets through while the event loop
    is saturated or thousands of threads want the interpreter.

    Args:
        fd: A descriptor of the memory; it may be closed once this is made.
    """

    def __init__(self, fd: int) -> None:
        self._slots = memoryview(mmap.mmap(fd, _SIZE_BYTES)).cast("q")

    @classmethod
    def create(cls) -> tuple[Self, int]:
        """Make the memory.

        Returns:
            The counters, all zero, and the descriptor to hand on, which the caller closes.
        """
        fd = os.memfd_create("probe-counters")
        os.truncate(fd, _SIZE_BYTES)
        return cls(fd), fd

    @property
    def done(self) -> int:
        """Sessions that have ended, well or not."""
        return self._slots[_DONE]

    @property
    def errors(self) -> int:
        """Sessions that have failed."""
        return self._slots[_ERRORS]

    @property
    def deltas(self) -> int:
        """Tokens delivered; behind by a few while threads deliver them."""
        return self._slots[_DELTAS_OF_LOOP] + self._slots[_DELTAS_OF_THREADS]

    def set_sessions(self, *, done: int, errors: int) -> None:
        """Publish how many sessions have ended, and how many of these have failed."""
        self._slots[_DONE] = done
        self._slots[_ERRORS] = errors

    def set_deltas_of_loop(self, total: int) -> None:
        """Publish how many tokens the timer wheel has delivered."""
        self._slots[_DELTAS_OF_LOOP] = total

    def set_deltas_of_threads(self, total: int) -> None:
        """Publish how many tokens blocking streams have delivered."""
        self._slots[_DELTAS_OF_THREADS] = total
