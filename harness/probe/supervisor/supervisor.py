"""Supervise a run: start the workers, sample them, print the protocol."""

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

from harness.probe.kernel.cgroup import read_cgroup
from harness.probe.protocol import write_line, write_pretty
from harness.probe.settings import Settings
from harness.probe.supervisor.box_monitor import BoxMonitor
from harness.probe.supervisor.host_monitor import HostMonitor, read_host
from harness.probe.supervisor.outcome import Cause, cause_of, exit_code_of, make_outcome
from harness.probe.supervisor.result import make_result
from harness.probe.supervisor.sampler import SAMPLE_S, CpuMeter, Sampler
from harness.probe.supervisor.shards import Shards
from harness.probe.supervisor.worker_process import WorkerProcess

_PROGRESS_S = 1.0
_TENTHS = 10


def supervise(settings: Settings, words: Sequence[str], out: TextIO = sys.stdout) -> int:
    """Run the workers to their end and print the protocol.

    Args:
        settings: The settings of the run.
        words: The probe's command line, which each worker reads again.
        out: Receives the protocol.

    Returns:
        0 with a RESULT, else the exit code of the worker that died; 128+N if signal N stopped
        the supervisor.
    """
    stop = StopRequest()
    cgroup = read_cgroup()
    box = BoxMonitor(cgroup)
    host = HostMonitor(lambda: read_host(cgroup, time.monotonic() * 1000))
    write_line(out, "CAPS", box.caps())
    with (
        _scratch_folder(settings.scratch) as scratch,
        Shards(words, scratch, settings.procs) as shards,
    ):
        supervisor = Supervisor(settings, shards, box, host, out)
        if not supervisor.run_until_end(stop):
            return 128 + stop.signal
        return supervisor.conclude()


class StopRequest:
    """The first signal that asked the supervisor to stop; 0 without one."""

    def __init__(self) -> None:
        self.signal = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.signal = self.signal or number


class Supervisor:
    """Samples the workers of one run and prints the protocol."""

    def __init__(
        self, settings: Settings, shards: Shards, box: BoxMonitor, host: HostMonitor, out: TextIO
    ) -> None:
        self._settings = settings
        self._shards = shards
        self._box = box
        self._host = host
        self._out = out
        self._start_s = time.monotonic()
        self._printed_tenths = 0
        self._sampler = Sampler(shards.pids, self._elapsed_ms)
        self._cpu = CpuMeter(shards.pids, time.monotonic)

    def run_until_end(self, stop: StopRequest) -> bool:
        """Sample every 25 ms and print PROGRESS every second, until the end or a stop.

        Under the virtual clock it prints PROGRESS for each tenth of the sessions that ended.

        Returns:
            True if the run is over, False after a stop request.
        """
        next_sample_s, next_progress_s = self._start_s, self._start_s + _PROGRESS_S
        while not (are_over := self._shards.are_over()) and not stop.signal:
            now_s = time.monotonic()
            if now_s >= next_sample_s:
                self._sampler.sample()
                self._box.sample()
                next_sample_s = max(next_sample_s + SAMPLE_S, now_s)
            if self._is_progress_due(now_s, next_progress_s):
                self._print_progress()
                next_progress_s = max(next_progress_s + _PROGRESS_S, now_s)
            self._shards.read(max(0.0, next_sample_s - time.monotonic()))
            self._monitor_host(is_started=self._shards.start_when_ready(time.monotonic()))
        self._print_progress()
        return are_over

    def conclude(self) -> int:
        """Print RESULT, OUTCOME or both after the end of the run.

        Returns:
            The exit code of the probe.
        """
        self._shards.kill()
        self._box.close()
        increases, dead = self._box.increases, self._shards.dead
        if dead is not None:
            returncode = dead.returncode or 0
            self._print_outcome(cause_of(returncode, increases["oom-kills"]), dead)
            return exit_code_of(returncode)
        report = self._shards.report
        result = make_result(
            self._settings, report, self._sampler.peaks, increases["throttled-ms"]
        )
        write_line(self._out, "RESULT", result)
        write_pretty(self._out, result)
        failed = self._shards.failed()
        if increases["oom-kills"]:  # of a child: all workers have ended by themselves
            self._print_outcome("oom", failed or self._shards.first)
        elif failed is not None:
            self._print_outcome("errors", failed)
        return 0

    def _monitor_host(self, *, is_started: bool) -> None:
        """Monitor the host from the start of the sessions to the end of the last."""
        if is_started:
            self._host.start()
        if self._shards.totals.done >= self._settings.sessions:
            self._host.stop()

    def _is_progress_due(self, now_s: float, next_s: float) -> bool:
        if self._settings.clock == "real":
            return now_s >= next_s
        tenths = self._shards.totals.done * _TENTHS // self._settings.sessions
        is_due, self._printed_tenths = tenths > self._printed_tenths, tenths
        return is_due

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._start_s) * 1000

    def _print_progress(self) -> None:
        peaks, totals = self._sampler.peaks, self._shards.totals
        self._host.update()
        progress = {
            "t-ms": round(self._elapsed_ms()),
            "done": totals.done,
            "errors": totals.errors,
            "C": self._settings.sessions,
            "threads": self._sampler.threads,
            "rss-mb": round(self._sampler.rss_kb / 1024, 1),
            "fds": self._sampler.fds,
            "peak-threads": peaks.threads,
            "peak-rss-mb": round(peaks.rss_kb / 1024, 1),
            "peak-fds": peaks.fds,
            "cpu-pct": self._cpu.read_pct(),
            "deltas": totals.deltas,
            "supervisor-cpu-ms": round(time.process_time() * 1000),
            **self._host.changes(),
        }
        write_line(self._out, "PROGRESS", progress)

    def _print_outcome(self, cause: Cause, worker: WorkerProcess) -> None:
        returncode, tail = worker.returncode or 0, worker.stderr_tail
        outcome = make_outcome(cause, returncode, self._evidence(worker), tail)
        write_line(self._out, "OUTCOME", outcome)

    def _evidence(self, worker: WorkerProcess) -> Mapping[str, object]:
        peaks, totals = self._sampler.peaks, self._shards.totals
        return {
            "shard": worker.shard,
            "procs": self._settings.procs,
            "sessions-done": totals.done,
            "errors": totals.errors,
            "deltas": totals.deltas,
            "peak-threads": peaks.threads,
            "peak-rss-mb": round(peaks.rss_kb / 1024, 1),
            "peak-fds": peaks.fds,
            "last-samples": self._sampler.last_samples,
            **self._box.evidence(),
        }


@contextmanager
def _scratch_folder(parent: Path | None) -> Iterator[Path]:
    """Provide a folder for the sessions' files; a given parent keeps it."""
    folder = tempfile.mkdtemp(prefix="probe-", dir=parent)
    try:
        yield Path(folder)
    finally:
        if parent is None:
            shutil.rmtree(folder, ignore_errors=True)
