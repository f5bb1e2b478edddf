"""The worker: the process that drives the sessions of one run and is measured while it does."""

import ctypes
import os
import platform
import signal
import sys
from contextlib import suppress
from pathlib import Path

import escapement
from harness.probe.arms import ARMS
from harness.probe.deliveries import Deliveries
from harness.probe.executors import run_in_tasks, run_in_threads
from harness.probe.ledger import Ledger
from harness.probe.mock_llm import MockLLM
from harness.probe.proc_files import read_status
from harness.probe.report import Report
from harness.probe.result import percentile
from harness.probe.settings import Settings, read_settings
from harness.probe.shared_counters import SharedCounters
from harness.probe.subject import describe_subject

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(arguments: list[str]) -> None:
    """Run the sessions and report.

    Args:
        arguments: Descriptor of the report pipe, descriptor of the counters, process id of the supervisor, scratch
            folder, then the words of the probe's own command line.
    """
    report_fd, counters_fd, supervisor, scratch, *words = arguments
    _die_first(int(supervisor))
    counters = SharedCounters(int(counters_fd))
    os.close(int(counters_fd))
    report = _measure(read_settings(words, os.environ), counters, Path(scratch))
    os.write(int(report_fd), report.to_line())


def _die_first(supervisor: int) -> None:
    """Be the one that the kernel kills when memory runs out, and go when the supervisor goes."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != supervisor:
        sys.exit("the supervisor is gone")


def _measure(settings: Settings, counters: SharedCounters, scratch: Path) -> Report:
    deliveries = Deliveries(counters)
    ledger = Ledger(settings.sessions, counters)
    llm = MockLLM(settings, deliveries)
    arm = ARMS[settings.arm](settings, llm, scratch)
    run = run_in_tasks if settings.is_virtual else run_in_threads
    base = read_status("self")
    span = run(arm, settings.sessions, ledger)
    latencies_ms = ledger.sorted_latencies_ms()
    return Report(
        ok=ledger.ok,
        errors=ledger.errors,
        err_sample=ledger.err_sample,
        wall_ms=span.wall_ms,
        p50_session_ms=percentile(latencies_ms, 50),
        p99_session_ms=percentile(latencies_ms, 99),
        cpu_s=span.cpu_s,
        deltas=deliveries.total,
        mock_lag_p99_ms=deliveries.lag_p99_ms,
        base_rss_kb=base.rss_kb,
        peak_rss_kb=read_status("self").peak_rss_kb,
        workers=None if settings.arm == "hand" else llm.workers_seen,
        python=platform.python_version(),
        subject=describe_subject(escapement),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # All is reported: threads that the subject leaves behind shall not keep the cell open.
    os._exit(0)
