"""The rules for a cell's outcome, and their order."""

import pytest

from harness.model.nouns import HOLDABLE, Caps, Outcome
from harness.outcome.observation import Observation
from harness.outcome.protocol import CapsLine, ProbeOutput, ProgressLine, WorkerExit
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=None, timeout_s=600.0)
HELD = CapsLine(cpus=2.0, memory_bytes=2 << 30, swap_bytes=0, pids=None, network=("lo",))
OOM = WorkerExit(cause="oom", exit_code=137, signal=9)


def _decide(
    observation: Observation, *, caps: Caps = CAPS, sessions: int = 500
) -> tuple[str, str]:
    outcome, reason = decide(observation, caps, sessions)
    return outcome.value, reason


def _printed(**output: object) -> ProbeOutput:
    return ProbeOutput(**output)  # type: ignore[arg-type]  # the caller passes valid fields


def _progress(*points: tuple[float, int, int]) -> ProbeOutput:
    return ProbeOutput(
        progress=tuple(
            ProgressLine(t_ms=t, done=done, deltas=deltas) for t, done, deltas in points
        )
    )


def test_outcome_of_a_whole_result_is_ok() -> None:
    """An ok cell has no reason."""
    assert _decide(make_observation(make_result(500))) == ("ok", "")


def test_outcome_of_failed_sessions_is_errors_with_a_sample() -> None:
    """The reason has the number of failures and the first message."""
    result = make_result(2000, ok=500, errors=1500, err_sample="ValueError: " + "x" * 300)
    assert _decide(make_observation(result), sessions=2000) == (
        "errors",
        "1,500 of 2,000 sessions failed: ValueError: " + "x" * 188,
    )


def test_outcome_of_failed_sessions_without_a_sample_has_a_reason() -> None:
    """A probe may report no message."""
    result = make_result(2, ok=1, errors=1)
    assert _decide(make_observation(result), sessions=2) == (
        "errors",
        "1 of 2 sessions failed: no message",
    )


@pytest.mark.parametrize(
    "changes", [{"c": 499}, {"ok": 499}, {"errors": 1}, {"ok": 250, "errors": 249}]
)
def test_outcome_of_a_result_that_does_not_add_up_is_invalid(changes: dict[str, int]) -> None:
    """A probe that loses sessions is at fault, not the subject."""
    outcome, reason = _decide(make_observation(make_result(**{"c": 500, "ok": 500, **changes})))
    assert outcome == "invalid"
    assert reason.startswith("its RESULT does not add up to 500 sessions: C=")


def test_outcome_of_an_engine_error_is_invalid() -> None:
    """A failing engine says nothing about the subject, whatever else was observed."""
    observation = make_observation(
        make_result(500), engine_error="the engine fell over", timed_out=True
    )
    assert _decide(observation) == ("invalid", "the engine fell over")


def test_outcome_of_a_risen_oom_count_is_oom() -> None:
    """The supervisor reads the count of its cgroup."""
    observation = make_observation(output=_printed(worker_exit=OOM), exit_code=137)
    assert _decide(observation) == ("oom", "out of memory at 2 GiB, its cgroup's oom_kill rose")


def test_outcome_of_the_engines_flag_is_oom() -> None:
    """The flag is the only witness when the supervisor was killed too."""
    observation = make_observation(exit_code=137, oom_killed=True)
    assert _decide(observation) == ("oom", "out of memory at 2 GiB, the engine reports OOMKilled")


def test_outcome_names_the_cgroup_before_the_engine() -> None:
    """The reason names the witness nearest to the kill."""
    output = _printed(worker_exit=OOM)
    observation = make_observation(output=output, exit_code=137, oom_killed=True)
    assert _decide(observation)[1].endswith("its cgroup's oom_kill rose")


def test_outcome_of_a_timeout_precedes_oom() -> None:
    """Memory may run out while a cell is killed for its time limit."""
    observation = make_observation(
        output=_printed(worker_exit=OOM), exit_code=137, oom_killed=True, timed_out=True
    )
    assert _decide(observation)[0] == "timeout-stalled"


def test_outcome_of_exit_137_alone_is_a_kill_from_outside() -> None:
    """No process of the box reported the kill."""
    assert _decide(make_observation(exit_code=137)) == (
        "invalid",
        "killed from outside: exit code 137",
    )


@pytest.mark.parametrize("code", [130, 143])
def test_outcome_of_a_stopped_container_is_invalid(code: int) -> None:
    """A supervisor that was stopped reports nothing about its worker."""
    observation = make_observation(exit_code=code)
    assert _decide(observation) == ("invalid", f"stopped from outside: exit code {code}")


def test_outcome_of_a_signal_is_a_crash_with_its_number() -> None:
    """Another signal than the kernel's kill for memory is no oom."""
    worker_exit = WorkerExit(cause="signal", exit_code=139, signal=11)
    observation = make_observation(output=_printed(worker_exit=worker_exit), exit_code=139)
    assert _decide(observation) == ("crash", "killed by signal 11, not for memory")


def test_outcome_of_exit_0_without_a_result_is_a_crash() -> None:
    """The exit code alone is no success."""
    assert _decide(make_observation()) == ("crash", "it exited 0 without a RESULT")


def test_outcome_of_an_unreadable_line_is_invalid() -> None:
    """An unreadable RESULT is no RESULT, and no fault of the subject."""
    observation = make_observation(output=_printed(faults=("a RESULT line cannot be read: torn",)))
    assert _decide(observation) == ("invalid", "a RESULT line cannot be read: torn")


def test_outcome_of_oom_precedes_a_torn_line() -> None:
    """A kill in the middle of a line is a result, and is not retried."""
    output = _printed(worker_exit=OOM, faults=("a PROGRESS line cannot be read: torn",))
    assert _decide(make_observation(output=output, exit_code=137))[0] == "oom"


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        pytest.param(_progress((10e3, 0, 10), (40e3, 0, 20)), "progressing", id="tokens"),
        pytest.param(_progress((10e3, 1, 10), (40e3, 2, 10)), "progressing", id="sessions"),
        pytest.param(
            _progress((10e3, 0, 10), (20e3, 5, 90), (30e3, 5, 90), (40e3, 5, 90)),
            "stalled",
            id="nothing in the last quarter",
        ),
        pytest.param(
            _progress((10e3, 5, 90), (20e3, 5, 90), (30e3, 5, 90), (40e3, 5, 91)),
            "progressing",
            id="one token in the last quarter",
        ),
        pytest.param(_progress((39e3, 1, 1), (40e3, 2, 2)), "progressing", id="late lines only"),
        pytest.param(_progress((40e3, 0, 0)), "stalled", id="no token"),
        pytest.param(_progress((5e3, 1, 1), (10e3, 9, 9)), "stalled", id="early lines only"),
        pytest.param(_progress(), "stalled", id="no line"),
    ],
)
def test_outcome_of_a_timeout_depends_on_late_progress(output: ProbeOutput, outcome: str) -> None:
    """Slow cells and stalled cells are two failures with two causes."""
    observation = make_observation(output=output, timed_out=True, exit_code=137, wall_s=40.0)
    assert _decide(observation)[0] == f"timeout-{outcome}"


@pytest.mark.parametrize(("deltas", "outcome"), [(90, "progressing"), (0, "stalled")])
def test_outcome_of_a_short_timeout_depends_on_its_one_line(deltas: int, outcome: str) -> None:
    """A cell of two seconds prints one PROGRESS line."""
    output = ProbeOutput(progress=(ProgressLine(t_ms=1003, deltas=deltas),))
    observation = make_observation(output=output, timed_out=True, exit_code=137, wall_s=2.3)
    assert _decide(observation, caps=Caps(timeout_s=2.0))[0] == f"timeout-{outcome}"


def test_outcome_of_a_timeout_has_its_progress() -> None:
    """The reason has the limit and the number of ended sessions."""
    output = _progress((1000, 0, 10), (4000, 1500, 20))
    observation = make_observation(output=output, timed_out=True)
    assert _decide(observation, sessions=8000)[1] == "600 s timeout, 1,500 of 8,000 sessions done"
    stalled = make_observation(timed_out=True)
    assert _decide(stalled, sessions=8000)[1] == "600 s timeout, stalled, 0 of 8,000 sessions done"


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ({"cpus": 4.0}, "the box does not enforce its caps: cpus 4.0, not 2.0"),
        ({"cpus": None}, "the box does not enforce its caps: cpus None, not 2.0"),
        (
            {"memory_bytes": None},
            "the box does not enforce its caps: memory None, not 2147483648",
        ),
        ({"swap_bytes": 1 << 30}, "the box does not enforce its caps: swap 1073741824, not 0"),
        ({"network": ("eth0", "lo")}, "the box has a network: eth0, lo"),
    ],
)
def test_outcome_in_a_box_without_its_caps_is_invalid(
    read: dict[str, object], reason: str
) -> None:
    """Even an ok cell in another box than the requested one enters no table."""
    fields = {"cpus": 2.0, "memory_bytes": 2 << 30, "swap_bytes": 0, "network": ("lo",), **read}
    caps = CapsLine(**fields)  # type: ignore[arg-type]  # each has the type of its field
    observation = make_observation(output=_printed(caps=caps, result=make_result(500)))
    assert _decide(observation) == ("invalid", reason)


@pytest.mark.parametrize("name", HOLDABLE)
def test_outcome_depends_only_on_caps_that_the_box_holds(name: str) -> None:
    """A wrong reading is ignored where the box does not hold the cap."""
    held = {"cpus": 2.0, "memory_bytes": 2 << 30, "swap_bytes": 0, "pids": 64, "network": ("lo",)}
    wrong: dict[str, dict[str, object]] = {
        "cpus": {"cpus": None},
        "memory": {"memory_bytes": None},
        "swap": {"swap_bytes": 1 << 30},
        "pids": {"pids": 100},
        "network": {"network": ("eth0",)},
    }
    inside = CapsLine(**{**held, **wrong[name]})  # type: ignore[arg-type]  # each has its type
    output, caps = ProbeOutput(caps=inside, result=make_result(500)), Caps(pids=64)
    holding = make_observation(output=output)
    loose = make_observation(output=output, holds=tuple(set(HOLDABLE) - {name}))
    assert _decide(holding, caps=caps)[0] == "invalid"
    assert _decide(loose, caps=caps)[0] == "ok"


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(HELD, id="all held"),
        pytest.param(
            CapsLine(cpus=2.0, memory_bytes=2 << 30, swap_bytes=None), id="swap is not accounted"
        ),
        pytest.param(None, id="no CAPS line"),
    ],
)
def test_outcome_in_a_box_with_its_caps_is_the_subjects(inside: CapsLine | None) -> None:
    """Values that a probe cannot read are not checked."""
    output = _printed(caps=inside, result=make_result(500))
    assert _decide(make_observation(output=output)) == ("ok", "")


@pytest.mark.parametrize(
    ("caps", "inside"),
    [
        pytest.param(
            Caps(cpus=2.0, memory_bytes=322_122_547),
            CapsLine(cpus=2.0, memory_bytes=322_121_728, swap_bytes=0),
            id="memory in whole pages",
        ),
        pytest.param(
            Caps(cpus=4 / 3),
            CapsLine(cpus=1.33333, memory_bytes=2 << 30, swap_bytes=0),
            id="cpus in whole microseconds",
        ),
    ],
)
def test_outcome_allows_for_the_kernels_rounding(caps: Caps, inside: CapsLine) -> None:
    """The kernel rounds memory to pages, and CPU to microseconds per period."""
    output = _printed(caps=inside, result=make_result(500))
    assert _decide(make_observation(output=output), caps=caps) == ("ok", "")


def test_outcome_of_a_timeout_in_the_wrong_box_is_invalid() -> None:
    """The time of a cell in another box says nothing."""
    caps = CapsLine(cpus=1.0, memory_bytes=CAPS.memory_bytes, swap_bytes=0)
    observation = make_observation(output=_printed(caps=caps), timed_out=True, exit_code=137)
    assert _decide(observation) == (
        "invalid",
        "the box does not enforce its caps: cpus 1.0, not 2.0",
    )


def test_outcome_ok_ignores_errors_on_stderr() -> None:
    """A subject that handled the error has passed."""
    observation = make_observation(make_result(500), stderr=("OSError: Too many open files",))
    assert _decide(observation) == ("ok", "")


def test_outcome_of_an_abort_is_explained_by_stderr() -> None:
    """An abort after a missing thread is a lack of threads."""
    worker_exit = WorkerExit(cause="signal", signal=6, stderr_tail=("can't start new thread",))
    observation = make_observation(output=_printed(worker_exit=worker_exit), exit_code=134)
    assert _decide(observation)[0] == Outcome.THREADS


def test_outcome_of_an_abort_without_an_explanation_is_a_crash() -> None:
    """The reason has the exit code."""
    worker_exit = WorkerExit(cause="signal", signal=6)
    observation = make_observation(output=_printed(worker_exit=worker_exit), exit_code=134)
    assert _decide(observation) == ("crash", "exit code 134 without a RESULT")


def test_outcome_of_a_segfault_ignores_stderr() -> None:
    """An error that a worker logged before is not the cause of its end."""
    worker_exit = WorkerExit(
        cause="signal", signal=11, stderr_tail=("OSError: Too many open files",)
    )
    observation = make_observation(output=_printed(worker_exit=worker_exit), exit_code=139)
    assert _decide(observation) == ("crash", "killed by signal 11, not for memory")
