"""What a cell ran out of beside memory: threads, processes, open files, a disk."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.observation import Observation
from harness.outcome.protocol import Death, ProbeOutput
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(pids=64)
EAGAIN = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
FULL = "OSError: [Errno 28] No space left on device: '/scratch/a.jsonl'"


def _decide(seen: Observation, caps: Caps = CAPS) -> tuple[str, str]:
    outcome, reason = decide(seen, caps, 500)
    return outcome.value, reason


def _ended(
    *said: str, evidence: dict[str, object] | None = None, signal: int | None = None
) -> Observation:
    death = Death(
        cause="exit", exit_code=1, signal=signal, evidence=evidence or {}, stderr_tail=said
    )
    return make_observation(output=ProbeOutput(death=death), exit_code=1)


@pytest.mark.parametrize(
    ("said", "evidence", "reason"),
    [
        pytest.param(
            ("    self.pid = _fork_exec(", EAGAIN),
            {"pids-max": 64, "pids-peak": 64},
            "processes ran out at the pids limit of 64, the worker ended",
            id="the words of a fork",
        ),
        pytest.param(
            (EAGAIN,),
            {"pids-max": 64, "pids-peak": 3, "pids-refused": 2},
            "processes ran out at the pids limit of 64, the worker ended",
            id="the kernel counted it",
        ),
        pytest.param(
            ("sh: 1: fork: Resource temporarily unavailable",),
            {},
            "processes ran out, at no limit that is known, the worker ended",
            id="a shell's words",
        ),
        pytest.param(
            ("RuntimeError: can't start new process",),
            {"pid-max": 100, "peak-threads": 95},
            "processes ran out at the kernel.pid_max of 100, the worker ended",
            id="another language",
        ),
        pytest.param(
            ("OpenBLAS: pthread_create failed for thread 3",),
            {"pids-max": 64, "pids-peak": 64},
            "native threads ran out at the pids limit of 64, the worker ended",
            id="a native library's thread",
        ),
    ],
)
def test_outcome_of_a_process_that_cannot_start_is_threads(
    said: tuple[str, ...], evidence: dict[str, object], reason: str
) -> None:
    """Threads and processes are one number to the kernel, and the limit is named."""
    assert _decide(_ended(*said, evidence=evidence)) == ("threads", reason)


def test_outcome_of_a_limit_that_nobody_asked_for_says_so() -> None:
    """What keeps the host alive is no cap of the box, and a larger one may be asked for."""
    seen = _ended("can't start new thread", evidence={"pids-max": 24_576, "pids-refused": 1})
    assert _decide(seen, Caps()) == (
        "threads",
        "native threads ran out at the pids limit of 24,576, which nobody asked for, the worker ended",
    )


def test_outcome_of_a_socket_that_is_not_ready_is_no_lack_of_processes() -> None:
    """The same error number means two things, and nothing here speaks of a process."""
    assert _decide(_ended(f"recv: {EAGAIN}"))[0] == "crash"


@pytest.mark.parametrize(
    ("evidence", "limit"),
    [
        ({"nofile": 20_000, "peak-fds": 19_990}, " at the limit of 20,000 a process"),
        ({"nofile": 20_000, "peak-fds": 200}, ""),
        ({"nofile": 20_000}, ""),
    ],
)
def test_outcome_of_open_files_names_the_limit_that_was_near(
    evidence: dict[str, object], limit: str
) -> None:
    """A limit that was not near its end is not blamed."""
    seen = _ended("OSError: [Errno 24] Too many open files", evidence=evidence)
    assert _decide(seen) == ("fds", f"open files ran out{limit}, the worker ended")


def test_outcome_of_the_hosts_open_files_names_them() -> None:
    """ENFILE is the table of the whole machine."""
    seen = _ended("OSError: [Errno 23] Too many open files in system")
    assert _decide(seen) == (
        "invalid",
        "the host's table of open files is full (fs.file-max), the worker ended",
    )


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            make_observation(make_result(500, ok=499, errors=1, err_sample=FULL)), id="sample"
        ),
        pytest.param(make_observation(exit_code=1, stderr=("Traceback", FULL)), id="stderr"),
        pytest.param(_ended(FULL), id="the worker's stderr"),
    ],
)
def test_outcome_on_a_full_disk_is_invalid(seen: Observation) -> None:
    """What the cell writes to is the host's."""
    assert _decide(seen) == (
        "invalid",
        "the disk that the cell writes to is full: No space left on device",
    )


def test_outcome_of_a_quota_is_a_full_disk() -> None:
    """A quota is a disk that ends sooner."""
    assert _decide(_ended("OSError: [Errno 122] Disk quota exceeded"))[0] == "invalid"


def test_outcome_of_a_full_disk_that_was_survived_is_not_told() -> None:
    """All sessions ended well, or it was a signal that ended the worker: the disk did neither."""
    assert _decide(make_observation(make_result(500), stderr=(FULL,)))[0] == "ok"
    assert _decide(_ended(FULL, signal=11)) == (
        "crash",
        "killed by signal 11, and not for memory",
    )
