"""When a cell was shaped by its host, and when its gauge was late with CPU to spare."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.disturbance import host_account, host_evidence, host_trouble, idle_lag
from harness.outcome.observation import evidence_of
from harness.outcome.protocol import Death, ProbeOutput, ProgressLine
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(cpus=2.0)
LATE = {"cpu_sec": 3.0, "wall_ms": 10_000.0, "mock_lag_p99_ms": 120.0}
IDLE = "the gauge was late by 120 ms (99th percentile) with the worker only 30 % busy"
CROWDED = (
    "the host was busy with other work: others used 1.9 of its 2 CPUs, and the box leaves 0 over"
)


def _line(
    *,
    steal_ms: float | None = 0.0,
    others: float | None = 0.0,
    cpus: int | None = 2,
    **more: float,
) -> ProgressLine:
    """Make the account of ten seconds, in which others used so many CPUs."""
    others_ms = None if others is None else others * 10_000.0
    return ProgressLine(
        host_cpus=cpus,
        host_ms=more.get("host_ms", 10_000.0),
        steal_ms=steal_ms,
        others_cpu_ms=others_ms,
    )


@pytest.mark.parametrize(
    ("line", "caps", "trouble"),
    [
        pytest.param(_line(others=0.5), CAPS, "", id="a quarter of the box is borne"),
        pytest.param(_line(others=1.9), CAPS, CROWDED, id="others where there is no room"),
        pytest.param(_line(others=2.5, cpus=4), CAPS, "", id="others where there is room"),
        pytest.param(
            _line(others=2.6, cpus=4),
            CAPS,
            "the host was busy with other work: others used 2.6 of its 4 CPUs, and the box leaves 2 over",
            id="others beyond the room",
        ),
        pytest.param(
            _line(others=0.13, cpus=1),
            Caps(cpus=0.5),
            "",
            id="half a CPU is left over of one",
        ),
        pytest.param(_line(steal_ms=400.0), CAPS, "", id="two per cent stolen is borne"),
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
            id="what can be helped is told first",
        ),
        pytest.param(_line(steal_ms=None, others=None), CAPS, "", id="nothing is known"),
        pytest.param(_line(others=9.0, cpus=None), CAPS, "", id="the host's size is not known"),
        pytest.param(
            _line(steal_ms=999.0, others=0.19, host_ms=999.0), CAPS, "", id="too short to tell"
        ),
        pytest.param(
            _line(steal_ms=0.0, others=0.19, host_ms=1000.0), CAPS, CROWDED, id="just long enough"
        ),
    ],
)
def test_host_trouble_is_cpu_that_the_box_lost(
    line: ProgressLine, caps: Caps, trouble: str
) -> None:
    """Stolen time beyond 2 %, or others beyond what the box leaves over and a quarter of its own."""
    assert host_trouble([line], caps) == trouble


def test_host_account_is_the_last_that_was_taken() -> None:
    """It adds up, and a line from before the sessions started has none."""
    before, first, last = ProgressLine(t_ms=1.0), _line(others=0.1), _line(others=1.9)
    assert host_account([]) is None
    assert host_account([before]) is None
    assert host_account([before, first, last]) is last
    assert host_trouble([before], CAPS) == ""
    assert host_trouble([last, before], CAPS) == CROWDED


def test_host_evidence_is_kept_with_every_cell() -> None:
    """The figures are there also when nothing was wrong; a probe that takes no account leaves none."""
    account = {
        "host-cpus": 2,
        "host-ms": 10_000.0,
        "steal-ms": 0.0,
        "others-cpu-ms": 1000.0,
        "pressure-ms": None,
    }
    seen = make_observation(
        output=ProbeOutput(result=make_result(500), progress=(_line(others=0.1),))
    )
    assert evidence_of(seen)["host"] == account
    assert host_evidence([ProgressLine()]) == {}
    assert "host" not in evidence_of(make_observation(make_result(500)))


@pytest.mark.parametrize(
    ("changes", "caps", "said"),
    [
        pytest.param({}, CAPS, IDLE, id="late and idle"),
        pytest.param({"mock_lag_p99_ms": 50.0}, CAPS, "", id="on time"),
        pytest.param({"cpu_sec": 8.0}, CAPS, "", id="busy"),
        pytest.param({"cpu_sec": 7.99}, CAPS, IDLE.replace("30", "80"), id="just not busy"),
        pytest.param({"throttled_ms": 50.0}, CAPS, "", id="held back by its quota"),
        pytest.param({"throttled_ms": 49.9}, CAPS, IDLE, id="hardly held back"),
        pytest.param({"procs": 2, "cpu_sec": 6.0}, CAPS, IDLE, id="two processes, two CPUs"),
        pytest.param({"procs": 4, "cpu_sec": 16.0}, CAPS, "", id="no more CPUs than the box has"),
        pytest.param({}, Caps(cpus=0.25), "", id="all of a quarter of a CPU"),
        pytest.param({"mock_lag_p99_ms": None}, CAPS, "", id="lag not measured"),
        pytest.param({"cpu_sec": None}, CAPS, "", id="CPU not measured"),
        pytest.param({"wall_ms": None}, CAPS, "", id="time not measured"),
        pytest.param({"wall_ms": 0.0}, CAPS, "", id="no time at all"),
        pytest.param({"arm": "hand"}, CAPS, IDLE, id="the floor follows the same rule"),
    ],
)
def test_idle_lag_is_late_with_cpu_to_spare(
    changes: dict[str, object], caps: Caps, said: str
) -> None:
    """Later than 50 ms with under 80 % of the CPUs that the workers can use, and not for want of quota."""
    assert idle_lag(make_result(500, **{**LATE, **changes}), caps) == said


_BUSY = (_line(others=1.9),)


@pytest.mark.parametrize("attempt", [0, 1])
def test_outcome_on_a_disturbed_host_is_invalid(attempt: int) -> None:
    """In either attempt: what the box did not get says nothing about the subject."""
    seen = make_observation(output=ProbeOutput(result=make_result(500), progress=_BUSY))
    assert decide(seen, CAPS, 500, attempt=attempt) == ("invalid", CROWDED)


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
def test_outcome_on_a_disturbed_host_says_how_it_ended(
    changes: dict[str, object], ended: str
) -> None:
    """Sessions that fail and time that runs out may be for want of CPU."""
    seen = make_observation(None, **changes)
    assert decide(seen, CAPS, 500) == ("invalid", f"{CROWDED}; it ended as {ended}")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"output": ProbeOutput(progress=_BUSY), "oom_killed": True}, "oom"),
        (
            {
                "output": ProbeOutput(progress=_BUSY, death=Death(cause="exit", exit_code=1)),
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
def test_outcome_that_no_cpu_could_have_helped_stands_on_a_disturbed_host(
    changes: dict[str, object], outcome: str
) -> None:
    """The box's own memory, threads and files do not run out because others work, and no crash comes of it."""
    assert decide(make_observation(None, **changes), CAPS, 500)[0] == outcome


def test_outcome_of_lag_with_cpu_to_spare_is_invalid_once() -> None:
    """The first time it may be the host's; when it comes again it is the subject's."""
    seen = make_observation(make_result(500, **LATE))
    assert decide(seen, CAPS, 500) == ("invalid", IDLE)
    assert decide(seen, CAPS, 500, attempt=1) == ("ok", "")


def test_outcome_of_lag_among_failed_sessions_says_how_it_ended() -> None:
    """Failed sessions count in the second run."""
    seen = make_observation(make_result(500, ok=499, errors=1, **LATE))
    assert decide(seen, CAPS, 500) == ("invalid", f"{IDLE}; it ended as errors")
    assert decide(seen, CAPS, 500, attempt=1)[0] == "errors"
