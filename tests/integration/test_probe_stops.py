"""The probe when a signal stops it or its worker."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.probe_runs import Start, end, is_gone, read_until, workers_of


@pytest.mark.slow
def test_probe_reports_a_worker_that_was_killed(start: Start) -> None:
    """The probe prints an OUTCOME with evidence and no RESULT; 137 stays 137."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGKILL)
    ended = end(process)
    assert ended.code == 137
    assert "RESULT" not in ended.maps
    outcome = ended.outcome
    assert (outcome["cause"], outcome["exit-code"], outcome["signal"]) == ("signal", 137, 9)
    evidence = outcome["evidence"]
    assert evidence["sessions-done"] == 0
    assert (evidence["shard"], evidence["procs"]) == (0, 1)
    assert len(evidence["last-samples"]) == 10
    limits = {"pids-max", "max-map-count", "pid-max", "threads-max", "nofile"}
    assert limits | {"pids-peak", "peak-threads", "oom-kills"} <= set(evidence)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_probe_ends_its_worker_when_it_is_stopped(
    start: Start, tmp_path: Path, number: int, code: int
) -> None:
    """A stop ends both processes and removes the scratch folder."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    (worker,) = workers_of(process)
    process.send_signal(number)
    ended = end(process)
    assert ended.code == code
    assert "RESULT" not in ended.maps
    assert is_gone(worker)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_probe_worker_ends_when_its_supervisor_is_killed(start: Start) -> None:
    """A supervisor without time to clean up leaves no worker behind."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    worker = os.pidfd_open(*workers_of(process))
    process.kill()
    process.communicate()
    try:
        ready = subprocess.run(  # waits for the end of the worker, at most ten seconds
            [
                sys.executable,
                "-c",
                f"import select; print(select.select([{worker}], [], [], 10)[0])",
            ],
            pass_fds=[worker],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        os.close(worker)
    assert ready.stdout == f"[{worker}]\n"
