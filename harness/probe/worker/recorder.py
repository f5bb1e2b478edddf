"""Record the ends of the sessions: their latencies and the first failure."""

import math
import threading
from array import array

from harness.probe.shared_counters import SharedCounters

_LONGEST_SAMPLE = 500


class Recorder:
    """The record of how sessions ended.

    It allocates its memory before the first session starts, so that it still works when memory
    runs out.

    Args:
        sessions: Number of sessions.
        counters: Receive the running totals.
    """

    def __init__(self, sessions: int, counters: SharedCounters) -> None:
        self._latencies_ms = array("d", [math.nan]) * sessions
        self._counters = counters
        self._lock = threading.Lock()
        self.ok = 0
        self.errors = 0
        self.err_sample: str | None = None

    @property
    def latencies_ms(self) -> "array[float]":
        """Return the latencies of the successful sessions, in order of their ends."""
        return self._latencies_ms[: self.ok]

    def record_ok(self, latency_ms: float) -> None:
        """Record a session that ended well.

        Args:
            latency_ms: Time since its intended start.
        """
        with self._lock:
            self._latencies_ms[self.ok] = latency_ms
            self.ok += 1
            self._publish()

    def record_error(self, error: BaseException) -> None:
        """Record a failed session; the first error is the sample."""
        with self._lock:
            self.errors += 1
            if self.err_sample is None:
                self.err_sample = f"{type(error).__name__}: {error}"[:_LONGEST_SAMPLE]
            self._publish()

    def _publish(self) -> None:
        self._counters.set_sessions(done=self.ok + self.errors, errors=self.errors)
