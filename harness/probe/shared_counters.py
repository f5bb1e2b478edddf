"""Counters in shared memory: the worker writes them, the supervisor reads them."""

import mmap
import os
from typing import Self

_SLOTS = 4
_DONE, _ERRORS, _DELTAS_OF_LOOP, _DELTAS_OF_THREADS = range(_SLOTS)
_SIZE_BYTES = 8 * _SLOTS


class SharedCounters:
    """Sessions ended, sessions failed and tokens delivered so far.

    A write is one store: no thread, lock or message. So it works while the event loop is
    saturated or thousands of threads wait for the interpreter.

    Args:
        fd: A descriptor of the memory; the caller may close it afterwards.
    """

    def __init__(self, fd: int) -> None:
        self._slots = memoryview(mmap.mmap(fd, _SIZE_BYTES)).cast("q")

    @classmethod
    def create(cls) -> tuple[Self, int]:
        """Create the memory.

        Returns:
            The counters, all zero, and the descriptor for the other process. The caller
            closes it.
        """
        fd = os.memfd_create("probe-counters")
        os.truncate(fd, _SIZE_BYTES)
        return cls(fd), fd

    @property
    def done(self) -> int:
        """Return the number of sessions that have ended, well or not."""
        return self._slots[_DONE]

    @property
    def errors(self) -> int:
        """Return the number of sessions that have failed."""
        return self._slots[_ERRORS]

    @property
    def deltas(self) -> int:
        """Return the number of delivered tokens; threads may be a few ahead of it."""
        return self._slots[_DELTAS_OF_LOOP] + self._slots[_DELTAS_OF_THREADS]

    def set_sessions(self, *, done: int, errors: int) -> None:
        """Publish the number of ended sessions and how many of them failed."""
        self._slots[_DONE] = done
        self._slots[_ERRORS] = errors

    def set_deltas_of_loop(self, total: int) -> None:
        """Publish the number of tokens that the timer wheel has delivered."""
        self._slots[_DELTAS_OF_LOOP] = total

    def set_deltas_of_threads(self, total: int) -> None:
        """Publish the number of tokens that blocking streams have delivered."""
        self._slots[_DELTAS_OF_THREADS] = total
