"""What the probe does when it, or its worker, is stopped from outside."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.probe_runs import Probe, Start, end, read_until


def worker_of(process: Probe) -> int:
    """Return the process id of a probe's worker."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    (pid,) = children.read_text(encoding="ascii").split()
    return int(pid)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.slow
def test_probe_reports_a_worker_that_was_killed(start: Start) -> None:
    """There is an OUTCOME with the evidence instead of a RESULT, and 137 stays 137."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    os.kill(worker_of(process), signal.SIGKILL)
    ended = end(process)
    assert ended.code == 137
    assert "RESULT" not in ended.maps
    outcome = ended.outcome
    assert (outcome["cause"], outcome["exit-code"], outcome["signal"]) == ("signal", 137, 9)
    evidence = outcome["evidence"]
    assert evidence["sessions-done"] == 0
    assert len(evidence["last-samples"]) == 10
    limits = {"pids-max", "max-map-count", "pid-max", "threads-max", "nofile"}
    assert limits | {"pids-peak", "peak-threads", "oom-kills"} <= set(evidence)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_probe_takes_its_worker_with_it_when_it_is_stopped(
    start: Start, tmp_path: Path, number: int, code: int
) -> None:
    """A stop ends both processes, and the scratch folder."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    worker = worker_of(process)
    process.send_signal(number)
    ended = end(process)
    assert ended.code == code
    assert "RESULT" not in ended.maps
    assert is_gone(worker)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_probe_worker_goes_when_its_supervisor_is_killed(start: Start) -> None:
    """Not even a supervisor that had no time to clean up leaves a worker behind."""
    process = start("hand 3 1 60000 1 1")
    read_until(process, "PROGRESS")
    worker = os.pidfd_open(worker_of(process))
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
