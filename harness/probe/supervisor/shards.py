"""The workers of one run: started, read and ended together."""

import selectors
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.probe.report import Report
from harness.probe.supervisor.worker_process import WorkerProcess


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals: ended sessions, failed sessions, delivered tokens."""

    done: int
    errors: int
    deltas: int


class Shards:
    """All workers of a run; usually one.

    The context manager starts them, and leaves none behind however the block ends.

    Args:
        words: The probe's command line.
        scratch: Folder for one subfolder per worker.
        count: Number of workers.
    """

    def __init__(self, words: Sequence[str], scratch: Path, count: int) -> None:
        self._words = words
        self._scratch = scratch
        self._count = count
        self._selector = selectors.DefaultSelector()
        self._stack = ExitStack()
        self._workers: list[WorkerProcess] = []
        self._is_started = False
        self.dead: WorkerProcess | None = None  # the first to end without a report

    def __enter__(self) -> Self:
        """Start the workers; they build their arm and wait."""
        with self._stack as stack:
            stack.callback(self._selector.close)
            for shard in range(self._count):
                self._add(stack.enter_context(self._make(shard)))
            stack.callback(self.kill)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the workers that still run, and close their pipes."""
        self._stack.close()

    @property
    def pids(self) -> Sequence[int]:
        """Return the process ids of the workers."""
        return [worker.pid for worker in self._workers]

    @property
    def totals(self) -> Totals:
        """Return the running totals."""
        counters = [worker.counters for worker in self._workers]
        return Totals(
            done=sum(each.done for each in counters),
            errors=sum(each.errors for each in counters),
            deltas=sum(each.deltas for each in counters),
        )

    @property
    def report(self) -> Report:
        """Return the merged report, after a good end of all workers."""
        return merge([worker.report for worker in self._workers if worker.report is not None])

    @property
    def first(self) -> WorkerProcess:
        """Return the first worker."""
        return self._workers[0]

    def failed(self) -> WorkerProcess | None:
        """Return the first worker that reported failed sessions."""
        for worker in self._workers:
            if worker.report is not None and worker.report.errors:
                return worker
        return None

    def are_over(self) -> bool:
        """Return whether the run is over: all workers have ended, or one is dead."""
        ended = [worker for worker in self._workers if worker.poll() is not None]
        self.dead = next((worker for worker in ended if worker.report is None), None)
        return self.dead is not None or len(ended) == len(self._workers)

    def start_when_ready(self, now_s: float) -> bool:
        """Start the sessions of all workers, once, as soon as each worker is ready.

        Args:
            now_s: Monotonic seconds; the common start.

        Returns:
            Whether the sessions have been started.
        """
        if not self._is_started and all(worker.is_ready for worker in self._workers):
            self._is_started = True
            for worker in self._workers:
                worker.start(now_s)
        return self._is_started

    def read(self, timeout_s: float) -> None:
        """Read the output of the workers, or wait until the time has passed."""
        for key, _ in self._selector.select(timeout_s):
            if not key.data.read(key.fd):
                self._selector.unregister(key.fd)

    def kill(self) -> None:
        """Kill the workers that still run."""
        for worker in self._workers:
            worker.kill()

    def _make(self, shard: int) -> WorkerProcess:
        folder = self._scratch / f"shard-{shard:02d}"
        folder.mkdir()
        return WorkerProcess(self._words, folder, shard)

    def _add(self, worker: WorkerProcess) -> None:
        self._workers.append(worker)
        for fd in worker.fds:
            self._selector.register(fd, selectors.EVENT_READ, worker)


def merge(reports: Sequence[Report]) -> Report:
    """Return the measurements of all workers together.

    Args:
        reports: At least one, in the order of the shards; all of one interpreter and subject.
    """
    latencies_ms = array("d")
    lags: Counter[int] = Counter()
    for report in reports:
        latencies_ms.extend(report.latencies_ms)
        lags.update(report.lags)
    return Report(
        ok=sum(report.ok for report in reports),
        errors=sum(report.errors for report in reports),
        err_sample=next((report.err_sample for report in reports if report.err_sample), None),
        wall_ms=max(report.wall_ms for report in reports),
        latencies_ms=latencies_ms,
        cpu_s=sum(report.cpu_s for report in reports),
        lags=lags,
        base_rss_kb=_sum(report.base_rss_kb for report in reports),
        peak_rss_kb=max(report.peak_rss_kb or 0 for report in reports) or None,
        workers=_merge_kinds(report.workers for report in reports),
        python=reports[0].python,
        subject=reports[0].subject,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    """Return the sum; None if a part is unknown."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _merge_kinds(reported: Iterable[str | None]) -> str | None:
    """Return the worker kind that all shards report, or `mixed`."""
    kinds = sorted({kind for kind in reported if kind is not None})
    if len(kinds) > 1:
        return "mixed"
    return kinds[0] if kinds else None
