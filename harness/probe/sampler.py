"""The worker's peaks, seen from outside."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.probe.proc_files import list_fds, read_status, stat_fds

SAMPLE_S = 0.025
_KEPT = 10  # a quarter of a second
_SAMPLES_A_LISTING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The largest values of a run so far."""

    threads: int
    rss_kb: int
    fds: int | None


class Sampler:
    """Looks at one process, and keeps its peaks and its last quarter of a second.

    Args:
        pid: The process.
        now_ms: Milliseconds since the process was started.
    """

    def __init__(self, pid: int, now_ms: Callable[[], float]) -> None:
        self._pid = pid
        self._now_ms = now_ms
        self._rounds = 0
        self._last: deque[dict[str, float]] = deque(maxlen=_KEPT)
        self.threads = 0
        self.rss_kb = 0
        self.fds: int | None = None
        self.peaks = Peaks(threads=0, rss_kb=0, fds=None)

    @property
    def last_samples(self) -> list[Mapping[str, float]]:
        """The last samples that still saw memory, oldest first: `t-ms`, `rss-mb` and `threads`."""
        return list(self._last)

    def sample(self) -> None:
        """Look once. A process that has died leaves everything as it was."""
        status = read_status(self._pid)
        if status.threads is None or status.rss_kb is None:
            return
        self.threads, self.rss_kb = status.threads, status.rss_kb
        self._count_fds()
        self.peaks = Peaks(
            threads=max(self.peaks.threads, status.threads),
            rss_kb=max(self.peaks.rss_kb, status.rss_kb, status.peak_rss_kb or 0),
            fds=max(self.peaks.fds or 0, self.fds) if self.fds is not None else self.peaks.fds,
        )
        now_ms, rss_mb = round(self._now_ms()), round(status.rss_kb / 1024, 1)
        self._last.append({"t-ms": now_ms, "rss-mb": rss_mb, "threads": status.threads})

    def _count_fds(self) -> None:
        """Count the open descriptors.

        Asking for their number is free. Where they have to be listed, 16,000 take milliseconds of a processor that the worker
        wants, so that is done in every tenth sample only.
        """
        fds = stat_fds(self._pid)
        if fds is None and self._rounds % _SAMPLES_A_LISTING == 0:
            fds = list_fds(self._pid)
        self._rounds += 1
        if fds is not None:
            self.fds = fds
