"""Causes of a cell's end: whose memory ran out, and which limit was reached."""

import pytest

from harness.model.nouns import Caps, Outcome
from harness.outcome.observation import Observation, evidence_of
from harness.outcome.protocol import ProbeOutput, WorkerExit
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

HOSTS = "the host, or a cgroup around the box, ran out of memory: the box was below its cap"
OWN = "out of memory at 2 GiB, its cgroup's oom_kill rose"
CHILD = "out of memory at 2 GiB, a child of the worker was killed for memory: "
UNKNOWN = "an unknown limit"
EAGAIN = "BlockingIOError: [Errno 11] Resource temporarily unavailable"
EMFILE = "OSError: [Errno 24] Too many open files"
FULL = "OSError: [Errno 28] No space left on device: '/scratch/a.jsonl'"
NO_THREAD = "RuntimeError: can't start new thread"


def _decide(observation: Observation, *, pids: int | None = None) -> tuple[str, str]:
    outcome, reason = decide(observation, Caps(pids=pids), 500)
    return outcome.value, reason


def _killed(**evidence: object) -> Observation:
    worker_exit = WorkerExit(cause="oom", signal=9, exit_code=137, evidence=evidence)
    return make_observation(output=ProbeOutput(worker_exit=worker_exit), exit_code=137)


def _ended(
    *stderr: str, evidence: dict[str, object] | None = None, signal: int | None = None
) -> Observation:
    worker_exit = WorkerExit(
        cause="exit", exit_code=1, signal=signal, evidence=evidence or {}, stderr_tail=stderr
    )
    return make_observation(output=ProbeOutput(worker_exit=worker_exit), exit_code=1)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        pytest.param({}, ("oom", OWN), id="no evidence"),
        pytest.param({"oom-kills": 1, "oom-events": 1}, ("oom", OWN), id="its own limit, v2"),
        pytest.param({"oom-kills": 1, "oom-events": 0}, ("invalid", HOSTS), id="another's, v2"),
        pytest.param(
            {"oom-kills": 1, "oom-events": 1, "memory-peak-bytes": 1 << 30},
            ("oom", OWN),
            id="the kernel's count before the peak",
        ),
        pytest.param(
            {"oom-kills": 1, "oom-events": None, "memory-peak-bytes": 1 << 30},
            ("invalid", HOSTS),
            id="another's, v1",
        ),
        pytest.param(
            {"oom-kills": 1, "memory-peak-bytes": 2 << 30}, ("oom", OWN), id="its own limit, v1"
        ),
        pytest.param(
            {"memory-peak-bytes": 1 << 30, "memory-max-bytes": 2 << 30},
            ("invalid", HOSTS),
            id="below the limit read inside",
        ),
        pytest.param(
            {"memory-peak-bytes": 1 << 30, "memory-max-bytes": 1 << 30},
            ("oom", OWN),
            id="at the limit read inside",
        ),
        pytest.param({"memory-peak-bytes": "much"}, ("oom", OWN), id="no number"),
    ],
)
def test_kill_for_memory_is_oom_only_at_the_boxs_own_limit(
    evidence: dict[str, object], expected: tuple[str, str]
) -> None:
    """The kernel counts kills in the box also when the host ran out."""
    assert _decide(_killed(**evidence)) == expected


def test_kill_that_only_the_box_reports_is_judged_by_its_peak() -> None:
    """Without a supervisor's report the measurements from outside decide."""
    peak = {"memory-peak-bytes": 1 << 30}
    final = {**peak, "oom-kills": 1}
    observation = make_observation(exit_code=137, oom_killed=True, box_evidence=final)
    assert _decide(observation) == ("invalid", HOSTS)
    sampled = make_observation(exit_code=137, oom_killed=True, box_evidence=peak)
    assert _decide(sampled)[0] == "oom", "memory may have grown since the last sample"


@pytest.mark.parametrize("result", [make_result(500), make_result(500, ok=499, errors=1)])
def test_kill_of_a_child_is_oom(result: object) -> None:
    """The worker ended by itself, with or without failed sessions."""
    worker_exit = WorkerExit(cause="oom", exit_code=0, evidence={"oom-kills": 1})
    output = ProbeOutput(result=result, worker_exit=worker_exit)  # type: ignore[arg-type]
    observation = make_observation(output=output)
    assert _decide(observation) == ("oom", f"{CHILD}its cgroup's oom_kill rose")


def test_kill_of_a_child_that_only_the_engine_reports_is_oom() -> None:
    """The engine's flag is enough."""
    observation = make_observation(make_result(500), oom_killed=True)
    assert _decide(observation) == ("oom", f"{CHILD}the engine reports OOMKilled")


def test_kill_of_a_child_before_a_failing_exit_code_is_oom() -> None:
    """The kill explains the exit code."""
    observation = _ended(evidence={"oom-kills": 1})
    assert _decide(observation) == ("oom", f"{CHILD}its cgroup's oom_kill rose")


def test_kill_in_a_shared_cgroup_is_not_the_cells() -> None:
    """A box that does not hold memory shares its cgroup with other processes."""
    worker_exit = WorkerExit(cause="oom", exit_code=0, evidence={"oom-kills": 1})
    output = ProbeOutput(result=make_result(500), worker_exit=worker_exit)
    assert _decide(make_observation(output=output, holds=())) == ("ok", "")


def test_kill_by_a_watchdog_is_oom_with_its_reason() -> None:
    """A watchdog's kill is oom, whatever cgroup the worker was in."""
    worker_exit = WorkerExit(
        cause="signal",
        signal=9,
        evidence={"memory-peak-bytes": 1 << 20, "memory-max-bytes": 64 << 30},
    )
    observation = make_observation(
        output=ProbeOutput(worker_exit=worker_exit),
        exit_code=137,
        oom_killed=True,
        oom_witness="the watchdog saw 2.01 GiB and killed it",
        holds=(),
        box_evidence={"memory-at-kill-bytes": 2_158_000_000},
    )
    reason = "out of memory at 2 GiB, the watchdog saw 2.01 GiB and killed it"
    assert _decide(observation) == ("oom", reason)
    assert evidence_of(observation)["box"] == {"memory-at-kill-bytes": 2_158_000_000}


@pytest.mark.parametrize(
    ("evidence", "limit"),
    [
        (
            {"pids-max": 1000, "pids-peak": 999},
            "the pids limit of 1,000 (the default; raise it with --pids)",
        ),
        ({"max-map-count": 65530, "peak-threads": 22167}, "the vm.max_map_count of 65,530"),
        (
            {
                "pids-max": 24576,
                "pids-peak": 22410,
                "max-map-count": 65530,
                "peak-threads": 22400,
            },
            "the vm.max_map_count of 65,530",
        ),
        ({"pid-max": 32768, "peak-threads": 32000}, "the kernel.pid_max of 32,768"),
        ({"threads-max": 20000, "peak-threads": 19000}, "the kernel.threads-max of 20,000"),
        (
            {"pids-max": 24576, "pids-peak": 22200, "max-map-count": 65530, "peak-threads": 22190},
            "the vm.max_map_count of 65,530",
        ),
        ({"pids-max": 1000, "pids-peak": 500}, UNKNOWN),
        ({"pids-max": "max", "pids-peak": None}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_exhausted_threads_name_the_nearest_limit(evidence: dict[str, object], limit: str) -> None:
    """Python raises the same error at four limits."""
    reason = f"native threads ran out at {limit}, the worker ended"
    assert _decide(_ended(NO_THREAD, evidence=evidence)) == ("threads", reason)


@pytest.mark.parametrize(
    ("stderr", "evidence", "reason"),
    [
        pytest.param(
            ("    self.pid = _fork_exec(", EAGAIN),
            {"pids-max": 64, "pids-peak": 64},
            "processes ran out at the pids limit of 64, the worker ended",
            id="a fork's error",
        ),
        pytest.param(
            (EAGAIN,),
            {"pids-max": 64, "pids-peak": 3, "pids-refused": 2},
            "processes ran out at the pids limit of 64, the worker ended",
            id="counted by the kernel",
        ),
        pytest.param(
            ("sh: 1: fork: Resource temporarily unavailable",),
            {},
            f"processes ran out at {UNKNOWN}, the worker ended",
            id="a shell's error",
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
def test_process_that_cannot_start_is_threads(
    stderr: tuple[str, ...], evidence: dict[str, object], reason: str
) -> None:
    """The kernel counts threads and processes together, and the limit is named."""
    assert _decide(_ended(*stderr, evidence=evidence), pids=64) == ("threads", reason)


def test_default_pids_limit_is_named_as_such() -> None:
    """The limit that protects the host is no cap, and the user can raise it."""
    observation = _ended(NO_THREAD, evidence={"pids-max": 24_576, "pids-refused": 1})
    limit = "the pids limit of 24,576 (the default; raise it with --pids)"
    reason = f"native threads ran out at {limit}, the worker ended"
    assert _decide(observation) == ("threads", reason)


def test_sessions_without_threads_are_threads() -> None:
    """The first failed session names the resource."""
    result = make_result(500, ok=400, errors=100, err_sample=NO_THREAD)
    reason = f"native threads ran out at {UNKNOWN}, 100 of 500 sessions failed"
    assert _decide(make_observation(result)) == ("threads", reason)


def test_eagain_of_a_socket_is_a_crash() -> None:
    """The same error number without a fork says nothing about processes."""
    assert _decide(_ended(f"recv: {EAGAIN}"))[0] == "crash"


@pytest.mark.parametrize("source", ["stderr", "supervisor", "sample"])
def test_too_many_open_files_are_fds(source: str) -> None:
    """Standard error, the supervisor and a failed session may contain the error."""
    observation = {
        "stderr": make_observation(exit_code=1, stderr=("Traceback", EMFILE)),
        "supervisor": _ended(EMFILE),
        "sample": make_observation(make_result(500, ok=499, errors=1, err_sample=EMFILE)),
    }[source]
    outcome, reason = _decide(observation)
    assert outcome == "fds"
    assert reason.startswith("open files ran out, ")


@pytest.mark.parametrize(
    ("evidence", "limit"),
    [
        ({"nofile": 20_000, "peak-fds": 19_990}, " at the limit of 20,000 per process"),
        ({"nofile": 20_000, "peak-fds": 200}, ""),
        ({"nofile": 20_000}, ""),
    ],
)
def test_open_files_name_their_limit_where_it_was_near(
    evidence: dict[str, object], limit: str
) -> None:
    """A limit far from the peak is not named."""
    reason = f"open files ran out{limit}, the worker ended"
    assert _decide(_ended(EMFILE, evidence=evidence)) == ("fds", reason)


def test_full_file_table_of_the_host_is_invalid() -> None:
    """ENFILE is a limit of the whole machine."""
    assert _decide(_ended("OSError: [Errno 23] Too many open files in system")) == (
        "invalid",
        "the host's table of open files is full (fs.file-max), the worker ended",
    )


@pytest.mark.parametrize(
    "observation",
    [
        pytest.param(
            make_observation(make_result(500, ok=499, errors=1, err_sample=FULL)), id="sample"
        ),
        pytest.param(make_observation(exit_code=1, stderr=("Traceback", FULL)), id="stderr"),
        pytest.param(_ended(FULL), id="the worker's stderr"),
    ],
)
def test_full_disk_is_invalid(observation: Observation) -> None:
    """The disk belongs to the host."""
    assert _decide(observation) == (
        "invalid",
        "the disk that the cell writes to is full: No space left on device",
    )


def test_exceeded_quota_is_a_full_disk() -> None:
    """A quota limits the disk."""
    assert _decide(_ended("OSError: [Errno 122] Disk quota exceeded"))[0] == "invalid"


def test_full_disk_that_did_not_end_the_cell_is_ignored() -> None:
    """All sessions ended ok, or a signal ended the worker."""
    assert _decide(make_observation(make_result(500), stderr=(FULL,)))[0] == "ok"
    reason = "killed by signal 11, not for memory"
    assert _decide(_ended(FULL, signal=11)) == (Outcome.CRASH, reason)
