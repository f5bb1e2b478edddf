"""What a cell used, seen from outside it: the most of all that was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

Number = TypeVar("Number", int, float)


class Account(Protocol):
    """Who keeps account of one cell."""

    def look(self) -> None:
        """Look at what it uses now."""

    def evidence(self) -> Mapping[str, object]:
        """Return what it used, by the names of the record; what is not counted is not there."""


@dataclass(slots=True)
class Usage:
    """What one cell used; None where nobody counts it.

    Args:
        cpu_ms: Processor time of all in it.
        memory_peak_bytes: The kernel's own peak, page cache included.
        rss_peak_bytes: The most of memory that no file backs.
        pids_peak: The most processes and threads that were seen. The kernel's own peak holds what started the cell, too.
    """

    cpu_ms: float | None = None
    memory_peak_bytes: int | None = None
    rss_peak_bytes: int | None = None
    pids_peak: int | None = None

    def take(self, seen: "Usage") -> None:
        """Take in what was seen at one moment; of a cell that has just ended that is nothing."""
        self.cpu_ms = _most(self.cpu_ms, seen.cpu_ms)
        self.memory_peak_bytes = _most(self.memory_peak_bytes, seen.memory_peak_bytes)
        self.rss_peak_bytes = _most(self.rss_peak_bytes, seen.rss_peak_bytes)
        self.pids_peak = _most(self.pids_peak, seen.pids_peak)

    def evidence(self) -> Mapping[str, object]:
        """Return what is known, by the names of the record."""
        known = {
            "cpu-ms": self.cpu_ms,
            "memory-peak-bytes": self.memory_peak_bytes,
            "rss-peak-bytes": self.rss_peak_bytes,
            "pids-peak": self.pids_peak,
        }
        return {name: value for name, value in known.items() if value is not None}


def _most(before: Number | None, now: Number | None) -> Number | None:
    if not now:
        return before
    return now if before is None else max(before, now)
