"""Count the delivered tokens by their lag, as a histogram of whole milliseconds."""

import itertools
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.probe.shared_counters import SharedCounters


class Deliveries:
    """The mock's record of its own punctuality.

    Args:
        counters: Receive the running totals.
    """

    def __init__(self, counters: SharedCounters) -> None:
        self._counters = counters
        self._lags: Counter[int] = Counter()
        self._total_of_loop = 0
        self._each_of_threads = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def lags(self) -> Mapping[int, int]:
        """Return the delivered tokens by lag, without blocking streams in progress."""
        return dict(self._lags)

    def add_round(self, first_lag_ms: int, last_lag_ms: int, tokens: int) -> None:
        """Count the tokens of one round of a batch, spread evenly over its delivery.

        Args:
            first_lag_ms: Lag at the start of the delivery.
            last_lag_ms: Lag at its end; the remainder of the division counts here.
            tokens: Number of tokens.
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

        No lock: among thousands of threads its holder would often wait for the interpreter.
        """
        self._counters.set_deltas_of_threads(next(self._each_of_threads))

    def add_stream(self, lags_ms: Sequence[int]) -> None:
        """Count the tokens of a blocking stream that has ended, by their lags."""
        with self._lock:
            self._lags.update(lags_ms)
