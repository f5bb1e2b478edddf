"""Cells on a busy host, and late simulated models although CPU was free."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.disturbance import (
    find_host_disturbance,
    find_idle_lag,
    host_account,
    host_evidence,
)
from harness.outcome.observation import evidence_of
from harness.outcome.protocol import ProbeOutput, ProgressLine, WorkerExit
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(cpus=2.0)
LATE = {"cpu_sec": 3.0, "wall_ms": 10_000.0, "mock_lag_p99_ms": 120.0}
IDLE = (
    "the simulated model was late by 120 ms (99th percentile) while the worker was only 30 % busy"
)
CROWDED = (
    "the host was busy: other programs used 1.9 of its 2 CPUs, "
    "and the box needs 2 (close them, or lower --cpus)"
)


def _line(
    *,
    steal_ms: float | None = 0.0,
    others: float | None = 0.0,
    cpus: int | None = 2,
    **more: float,
) -> ProgressLine:
    """Make the report of ten seconds in which other programs used `others` CPUs."""
    others_ms = None if others is None else others * 10_000.0
    return ProgressLine(
        host_cpus=cpus,
        host_ms=more.get("host_ms", 10_000.0),
        steal_ms=steal_ms,
        others_cpu_ms=others_ms,
    )


@pytest.mark.parametrize(
    ("line", "caps", "sentence"),
    [
        pytest.param(_line(others=0.5), CAPS, "", id="a quarter of the box is allowed"),
        pytest.param(_line(others=1.9), CAPS, CROWDED, id="others and no free CPU"),
        pytest.param(_line(others=2.5, cpus=4), CAPS, "", id="others on free CPUs"),
        pytest.param(
            _line(others=2.6, cpus=4),
            CAPS,
            CROWDED.replace("1.9 of its 2", "2.6 of its 4"),
            id="others beyond the free CPUs",
        ),
        pytest.param(
            _line(others=0.13, cpus=1),
            Caps(cpus=0.5),
            "",
            id="half of one CPU is free",
        ),
        pytest.param(_line(steal_ms=400.0), CAPS, "", id="two per cent stolen is allowed"),
        pytest.param(
            _line(steal_ms=1000.0, others=0.5),
            CAPS,
            "the hypervisor stole 5 % of the box's CPU time",
            id="stolen",
        ),
        pytest.param(
            _line(steal_ms=420.0),
            CAPS,
            "the hypervisor stole 2.1 % of the box's CPU time",
            id="just over the limit",
        ),
        pytest.param(
            _line(steal_ms=1000.0, others=1.9),
            CAPS,
            CROWDED,
            id="other programs come first",
        ),
        pytest.param(_line(steal_ms=None, others=None), CAPS, "", id="no figures"),
        pytest.param(_line(others=9.0, cpus=None), CAPS, "", id="unknown number of CPUs"),
        pytest.param(_line(steal_ms=999.0, others=0.19, host_ms=999.0), CAPS, "", id="too short"),
        pytest.param(
            _line(steal_ms=0.0, others=0.19, host_ms=1000.0), CAPS, CROWDED, id="just long enough"
        ),
    ],
)
def test_host_disturbance_is_lost_cpu_time(line: ProgressLine, caps: Caps, sentence: str) -> None:
    """The limits are 2 % of stolen time, and a quarter of the box's CPUs."""
    assert find_host_disturbance([line], caps) == sentence


def test_host_account_is_the_last_report() -> None:
    """Reports are cumulative; a line from before the sessions has none."""
    before, first, last = ProgressLine(t_ms=1.0), _line(others=0.1), _line(others=1.9)
    assert host_account([]) is None
    assert host_account([before]) is None
    assert host_account([before, first, last]) is last
    assert find_host_disturbance([before], CAPS) == ""
    assert find_host_disturbance([last, before], CAPS) == CROWDED


def test_host_evidence_is_kept_with_every_cell() -> None:
    """The figures are stored for undisturbed cells too; an old probe reports none."""
    account = {
        "host-cpus": 2,
        "host-ms": 10_000.0,
        "steal-ms": 0.0,
        "others-cpu-ms": 1000.0,
        "pressure-ms": None,
    }
    observation = make_observation(
        output=ProbeOutput(result=make_result(500), progress=(_line(others=0.1),))
    )
    assert evidence_of(observation)["host"] == account
    assert host_evidence([ProgressLine()]) == {}
    assert "host" not in evidence_of(make_observation(make_result(500)))


@pytest.mark.parametrize(
    ("changes", "caps", "sentence"),
    [
        pytest.param({}, CAPS, IDLE, id="late and idle"),
        pytest.param({"mock_lag_p99_ms": 50.0}, CAPS, "", id="on time"),
        pytest.param({"cpu_sec": 8.0}, CAPS, "", id="busy"),
        pytest.param({"cpu_sec": 7.99}, CAPS, IDLE.replace("30", "80"), id="just not busy"),
        pytest.param({"throttled_ms": 50.0}, CAPS, "", id="throttled"),
        pytest.param({"throttled_ms": 49.9}, CAPS, IDLE, id="hardly throttled"),
        pytest.param({"procs": 2, "cpu_sec": 6.0}, CAPS, IDLE, id="two processes, two CPUs"),
        pytest.param({"procs": 4, "cpu_sec": 16.0}, CAPS, "", id="no more CPUs than the box has"),
        pytest.param({}, Caps(cpus=0.25), "", id="all of a quarter of a CPU"),
        pytest.param({"mock_lag_p99_ms": None}, CAPS, "", id="lag not measured"),
        pytest.param({"cpu_sec": None}, CAPS, "", id="CPU not measured"),
        pytest.param({"wall_ms": None}, CAPS, "", id="time not measured"),
        pytest.param({"wall_ms": 0.0}, CAPS, "", id="no time at all"),
        pytest.param({"arm": "hand"}, CAPS, IDLE, id="the hand arm too"),
    ],
)
def test_idle_lag_is_lateness_with_free_cpu(
    changes: dict[str, object], caps: Caps, sentence: str
) -> None:
    """The limits are 50 ms of lag, 80 % of the usable CPUs and 50 ms of throttling."""
    assert find_idle_lag(make_result(500, **{**LATE, **changes}), caps) == sentence


_BUSY = (_line(others=1.9),)


@pytest.mark.parametrize("attempt", [0, 1])
def test_outcome_on_a_disturbed_host_is_invalid(attempt: int) -> None:
    """A cell without its CPU says nothing about the subject, in either attempt."""
    observation = make_observation(output=ProbeOutput(result=make_result(500), progress=_BUSY))
    assert decide(observation, CAPS, 500, attempt=attempt) == ("invalid", CROWDED)


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        ({"output": ProbeOutput(progress=_BUSY), "timed_out": True}, "timeout-stalled"),
        (
            {"output": ProbeOutput(progress=_BUSY, result=make_result(500, ok=499, errors=1))},
            "errors",
        ),
    ],
)
def test_outcome_on_a_disturbed_host_names_the_replaced_outcome(
    changes: dict[str, object], ended: str
) -> None:
    """Too little CPU can cause failed sessions and timeouts."""
    observation = make_observation(None, **changes)
    assert decide(observation, CAPS, 500) == ("invalid", f"{CROWDED}; it ended as {ended}")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"output": ProbeOutput(progress=_BUSY), "oom_killed": True}, "oom"),
        (
            {
                "output": ProbeOutput(
                    progress=_BUSY, worker_exit=WorkerExit(cause="exit", exit_code=1)
                ),
                "stderr": ("RuntimeError: can't start new thread",),
                "exit_code": 1,
            },
            "threads",
        ),
        (
            {
                "output": ProbeOutput(progress=_BUSY),
                "stderr": ("OSError: [Errno 24] Too many open files",),
                "exit_code": 1,
            },
            "fds",
        ),
        ({"output": ProbeOutput(progress=_BUSY), "exit_code": 3}, "crash"),
    ],
)
def test_outcome_independent_of_cpu_stands_on_a_disturbed_host(
    changes: dict[str, object], outcome: str
) -> None:
    """A busy host exhausts neither memory, threads nor files, and causes no crash."""
    assert decide(make_observation(None, **changes), CAPS, 500)[0] == outcome


def test_outcome_of_idle_lag_is_invalid_once() -> None:
    """Lag of the first run may be the host's; lag that repeats is the subject's."""
    observation = make_observation(make_result(500, **LATE))
    assert decide(observation, CAPS, 500) == ("invalid", IDLE)
    assert decide(observation, CAPS, 500, attempt=1) == ("ok", "")


def test_outcome_of_idle_lag_with_failed_sessions_names_the_replaced_outcome() -> None:
    """The second run counts with its failed sessions."""
    observation = make_observation(make_result(500, ok=499, errors=1, **LATE))
    assert decide(observation, CAPS, 500) == ("invalid", f"{IDLE}; it ended as errors")
    assert decide(observation, CAPS, 500, attempt=1)[0] == "errors"
