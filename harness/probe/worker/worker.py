"""The worker process: it runs the sessions of one shard while it is measured."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import escapement
from harness.probe.kernel.prctl import die_with_parent
from harness.probe.kernel.processes import read_status
from harness.probe.mock.deliveries import Deliveries
from harness.probe.report import READY, Report
from harness.probe.settings import Settings, read_settings
from harness.probe.shared_counters import SharedCounters
from harness.probe.subject import describe_subject
from harness.probe.virtual_clock import START_S, VirtualClockLoop
from harness.probe.worker.arms import ARMS
from harness.probe.worker.executors import run_in_tasks, run_in_threads
from harness.probe.worker.injection import inject, make_llm
from harness.probe.worker.recorder import Recorder


def main(arguments: list[str]) -> None:
    """Build the arm, wait for the common start of all shards, run the sessions, report.

    Args:
        arguments: Descriptor of the report pipe, descriptor of the counters, process id of the
            supervisor, scratch folder, number of the shard, then the probe's command line.
    """
    report_fd, counters_fd, supervisor, scratch, shard, *words = arguments
    _die_first(int(supervisor))
    counters = SharedCounters(int(counters_fd))
    os.close(int(counters_fd))
    settings = read_settings(words, os.environ)
    with os.fdopen(int(report_fd), "wb") as out:
        report = _measure(settings, int(shard), counters, Path(scratch), out)
        out.write(report.to_line())


def _die_first(supervisor: int) -> None:
    """Make this process the first OOM victim, and end it with its supervisor."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if not die_with_parent(supervisor):
        sys.exit("the supervisor has ended")


def _measure(
    settings: Settings, shard: int, counters: SharedCounters, scratch: Path, out: BinaryIO
) -> Report:
    indices = settings.indices_of(shard)
    deliveries = Deliveries(counters)
    recorder = Recorder(len(indices), counters)
    llm = make_llm(settings, deliveries)
    arm = inject(ARMS[settings.arm](settings, llm, scratch), settings.injection)
    base = read_status("self")
    start_s = _wait_for_start(out)
    if settings.clock == "virtual":
        elapsed = run_in_tasks(arm, indices, recorder, START_S, VirtualClockLoop)
    else:
        run = run_in_tasks if settings.is_virtual else run_in_threads
        elapsed = run(arm, indices, recorder, start_s)
    return Report(
        ok=recorder.ok,
        errors=recorder.errors,
        err_sample=recorder.err_sample,
        wall_ms=elapsed.wall_ms,
        latencies_ms=recorder.latencies_ms,
        cpu_s=elapsed.cpu_s,
        lags=deliveries.lags,
        base_rss_kb=base.rss_kb,
        peak_rss_kb=read_status("self").peak_rss_kb,
        workers=None if settings.arm == "hand" else llm.workers_seen,
        python=platform.python_version(),
        subject=describe_subject(escapement),
    )


def _wait_for_start(out: BinaryIO) -> float:
    """Report readiness; return the common start in monotonic seconds."""
    out.write(READY)
    out.flush()
    return float(sys.stdin.readline())


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # The report is out: threads that the subject left behind must not keep the cell open.
    os._exit(0)
