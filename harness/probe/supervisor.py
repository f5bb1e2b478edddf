"""The supervisor: starts the worker, watches it from outside, and says how it ended."""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from harness.probe.box_watch import BoxWatch
from harness.probe.cgroup import Cgroup
from harness.probe.outcome import cause_of, exit_code_of, make_outcome
from harness.probe.proc_files import read_cpu_s
from harness.probe.protocol import write_line, write_pretty
from harness.probe.result import make_result
from harness.probe.sampler import SAMPLE_S, Sampler
from harness.probe.settings import Settings
from harness.probe.worker_process import WorkerProcess

_PROGRESS_S = 1.0


def supervise(settings: Settings, words: Sequence[str], out: TextIO = sys.stdout) -> int:
    """Run one worker to its end and print what came of it.

    Args:
        settings: What is asked for.
        words: The command line that says so, which the worker reads again.
        out: Where the protocol goes.

    Returns:
        0 with a RESULT, else the worker's exit code; 128+N when a signal asked the supervisor to stop.
    """
    stop = StopRequest()
    box = BoxWatch(Cgroup.of_this_process())
    write_line(out, "CAPS", box.caps())
    with _scratch_folder() as scratch, WorkerProcess(words, scratch) as worker:
        watch = Watch(settings, worker, box, out)
        returncode = watch.until_end(stop)
        if returncode is None:
            return 128 + stop.signal
        return watch.conclude(returncode)


class StopRequest:
    """Notes the first signal that asks the supervisor to stop; 0 until then."""

    def __init__(self) -> None:
        self.signal = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal = self.signal or number


class Watch:
    """One worker, watched.

    Args:
        settings: What the worker was asked for.
        worker: The worker.
        box: The box that it runs in.
        out: Where the protocol goes.
    """

    def __init__(
        self, settings: Settings, worker: WorkerProcess, box: BoxWatch, out: TextIO
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._box = box
        self._out = out
        self._start_s = time.monotonic()
        self._sampler = Sampler(worker.pid, self._elapsed_ms)
        self._cpu_at = (self._start_s, 0.0)

    def until_end(self, stop: StopRequest) -> int | None:
        """Sample every 25 ms and print PROGRESS every second, until the end or a stop.

        Returns:
            The worker's exit code, or minus the signal that killed it; None when a stop was asked for.
        """
        next_sample_s, next_progress_s = self._start_s, self._start_s + _PROGRESS_S
        while (returncode := self._worker.poll()) is None and not stop.signal:
            now_s = time.monotonic()
            if now_s >= next_sample_s:
                self._sampler.sample()
                self._box.sample()
                next_sample_s = max(next_sample_s + SAMPLE_S, now_s)
            if now_s >= next_progress_s:
                self._print_progress()
                next_progress_s = max(next_progress_s + _PROGRESS_S, now_s)
            self._worker.read(max(0.0, next_sample_s - time.monotonic()))
        self._print_progress()
        return returncode

    def conclude(self, returncode: int) -> int:
        """Print RESULT, OUTCOME or both for a worker that has ended.

        Args:
            returncode: Its exit code, or minus the signal.

        Returns:
            The exit code of the probe.
        """
        self._worker.drain()
        self._box.close()
        risen = self._box.risen
        report = self._worker.report
        tail = self._worker.stderr_tail
        if report is None:
            cause = cause_of(returncode, risen["oom-kills"])
            outcome = make_outcome(cause, returncode, self._evidence(), tail)
            write_line(self._out, "OUTCOME", outcome)
            return exit_code_of(returncode)
        result = make_result(self._settings, report, self._sampler.peaks, risen["throttled-ms"])
        write_line(self._out, "RESULT", result)
        write_pretty(self._out, result)
        if report.errors:
            outcome = make_outcome("errors", returncode, self._evidence(), tail)
            write_line(self._out, "OUTCOME", outcome)
        return 0

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._start_s) * 1000

    def _print_progress(self) -> None:
        peaks, counters = self._sampler.peaks, self._worker.counters
        progress = {
            "t-ms": round(self._elapsed_ms()),
            "done": counters.done,
            "errors": counters.errors,
            "C": self._settings.sessions,
            "threads": self._sampler.threads,
            "rss-mb": round(self._sampler.rss_kb / 1024, 1),
            "fds": self._sampler.fds,
            "peak-threads": peaks.threads,
            "peak-rss-mb": round(peaks.rss_kb / 1024, 1),
            "peak-fds": peaks.fds,
            "cpu-pct": self._cpu_pct(),
            "deltas": counters.deltas,
        }
        write_line(self._out, "PROGRESS", progress)

    def _cpu_pct(self) -> float | None:
        """Return the worker's share of one processor since it was last asked, in per cent.

        Only asked once a second: the kernel adds it up over all the threads.
        """
        now_s, cpu_s = time.monotonic(), read_cpu_s(self._worker.pid)
        if cpu_s is None:
            return None
        before_s, cpu_before_s = self._cpu_at
        self._cpu_at = (now_s, cpu_s)
        return round((cpu_s - cpu_before_s) / (now_s - before_s) * 100, 1)

    def _evidence(self) -> Mapping[str, object]:
        peaks, counters = self._sampler.peaks, self._worker.counters
        return {
            "sessions-done": counters.done,
            "errors": counters.errors,
            "deltas": counters.deltas,
            "peak-threads": peaks.threads,
            "peak-rss-mb": round(peaks.rss_kb / 1024, 1),
            "peak-fds": peaks.fds,
            "last-samples": self._sampler.last_samples,
            **self._box.evidence(),
        }


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    folder = tempfile.mkdtemp(prefix="probe-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
