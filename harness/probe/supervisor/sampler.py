"""Sample the workers from outside: their threads, memory, descriptors and CPU time."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.probe.kernel.processes import (
    ProcessStatus,
    list_fds,
    read_cpu_s,
    read_status,
    stat_fds,
)

SAMPLE_S = 0.025
_KEPT_SAMPLES = 10  # a quarter of a second
_SAMPLES_PER_LISTING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The peaks of a run so far, each a sum over the processes at one moment."""

    threads: int
    rss_kb: int
    fds: int | None


class Sampler:
    """Samples several processes; keeps their peaks and last samples.

    Args:
        pids: The processes.
        now_ms: Milliseconds since their start.
        read: Reads the state of one process.
    """

    def __init__(
        self,
        pids: Sequence[int],
        now_ms: Callable[[], float],
        read: Callable[[int], ProcessStatus] = read_status,
    ) -> None:
        self._pids = pids
        self._now_ms = now_ms
        self._read = read
        self._rounds = 0
        self._last: deque[dict[str, float]] = deque(maxlen=_KEPT_SAMPLES)
        self.threads = 0
        self.rss_kb = 0
        self.fds: int | None = None
        self.peaks = Peaks(threads=0, rss_kb=0, fds=None)

    @property
    def last_samples(self) -> list[Mapping[str, float]]:
        """Return the last samples of live processes, oldest first."""
        return list(self._last)

    def sample(self) -> None:
        """Take one sample; without a live process everything stays as it was.

        The peak of the sum is at least the kernel's own peak of each process.
        """
        alive = [status for status in map(self._read, self._pids) if status.rss_kb is not None]
        if not alive:
            return
        self.threads = sum(status.threads or 0 for status in alive)
        self.rss_kb = sum(status.rss_kb or 0 for status in alive)
        self._count_fds()
        self.peaks = Peaks(
            threads=max(self.peaks.threads, self.threads),
            rss_kb=max(self.peaks.rss_kb, self.rss_kb, *(s.peak_rss_kb or 0 for s in alive)),
            fds=max(self.peaks.fds or 0, self.fds) if self.fds is not None else self.peaks.fds,
        )
        now_ms, rss_mb = round(self._now_ms()), round(self.rss_kb / 1024, 1)
        self._last.append({"t-ms": now_ms, "rss-mb": rss_mb, "threads": self.threads})

    def _count_fds(self) -> None:
        """Count the open descriptors.

        Listing 16,000 of them takes milliseconds of a CPU that the workers need. So kernels
        that do not count them are asked in every tenth sample only.
        """
        fds = _sum_of_known(map(stat_fds, self._pids))
        if fds is None and self._rounds % _SAMPLES_PER_LISTING == 0:
            fds = _sum_of_known(map(list_fds, self._pids))
        self._rounds += 1
        if fds is not None:
            self.fds = fds


class CpuMeter:
    """Measures the CPU share of some processes together.

    Args:
        pids: The processes.
        now_s: Monotonic seconds.
        read_s: Reads the CPU time of one process; None when it is gone.
    """

    def __init__(
        self,
        pids: Sequence[int],
        now_s: Callable[[], float],
        read_s: Callable[[int], float | None] = read_cpu_s,
    ) -> None:
        self._now_s = now_s
        self._read_s = read_s
        self._used_s = dict.fromkeys(pids, 0.0)
        self._before = (now_s(), 0.0)

    def read_pct(self) -> float | None:
        """Return the share of one CPU since the last call, in %; None if unknown.

        A process that is gone keeps its last CPU time. Call it once a second at most: the
        kernel sums over all threads.
        """
        seen = {pid: cpu_s for pid in self._used_s if (cpu_s := self._read_s(pid)) is not None}
        if not seen:
            return None
        self._used_s.update(seen)
        now_s, cpu_s = self._now_s(), sum(self._used_s.values())
        before_s, cpu_before_s = self._before
        self._before = (now_s, cpu_s)
        return round((cpu_s - cpu_before_s) / (now_s - before_s) * 100, 1)


def _sum_of_known(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
