"""The tokens that the mock delivered, in a histogram of their lag in ms."""

import itertools
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.probe.shared_counters import SharedCounters


class Deliveries:
    """The mock's own account of its punctuality.

    Args:
        counters: Where the running total is published.
    """

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._lags: Counter[int] = Counter()
        self._total_of_loop = 0
        self._each_of_threads = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def lags(self) -> Mapping[int, int]:
        """Delivered tokens of ended streams, by whole ms of lag."""
        return dict(self._lags)

    def add_round(self, first_lag_ms: int, last_lag_ms: int, tokens: int) -> None:
        """Count the tokens of one round of a lane, delivered in sequence.

        Args:
            first_lag_ms: The lag when the first was delivered.
            last_lag_ms: The lag after the last; those between are spread evenly, what is left over counts as last.
            tokens: How many.
        """
        each, rest = divmod(tokens, last_lag_ms - first_lag_ms + 1)
        if each:
            for lag_ms in range(first_lag_ms, last_lag_ms + 1):
                self._lags[lag_ms] += each
        if rest:
            self._lags[last_lag_ms] += rest
        self._total_of_loop += tokens
        self._counters.set_deltas_of_loop(self._total_of_loop)

    def publish_one(self) -> None:
        """Count one token of a blocking stream in the running total.

        No lock: with thousands of threads its holder would often be one that waits for the interpreter.
        """
        self._counters.set_deltas_of_threads(next(self._each_of_threads))

    def add_stream(self, lags_ms: Sequence[int]) -> None:
        """Take over the lags of a blocking stream that has ended, in whole ms."""
        with self._lock:
            self._lags.update(lags_ms)
