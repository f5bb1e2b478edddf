"""How a cell ended: each rule, and which of two rules decides."""

import pytest

from harness.model.nouns import Caps, Outcome
from harness.outcome.observation import Observation
from harness.outcome.protocol import BoxCaps, Death, ProbeOutput, ProgressLine
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=None, timeout_s=600.0)
HELD = BoxCaps(cpus=2.0, memory_bytes=2 << 30, swap_bytes=0, pids=None, network=("lo",))
OOM = Death(cause="oom", exit_code=137, signal=9)


def _decide(seen: Observation, *, caps: Caps = CAPS, sessions: int = 500) -> tuple[str, str]:
    outcome, reason = decide(seen, caps, sessions)
    return outcome.value, reason


def _printed(**output: object) -> ProbeOutput:
    return ProbeOutput(**output)  # type: ignore[arg-type]  # the fields are the caller's to get right


def _progress(*points: tuple[float, int, int]) -> ProbeOutput:
    return ProbeOutput(
        progress=tuple(
            ProgressLine(t_ms=t, done=done, deltas=deltas) for t, done, deltas in points
        )
    )


def test_outcome_of_a_whole_result_is_ok() -> None:
    """All sessions ended ok: there is nothing to explain."""
    assert _decide(make_observation(make_result(500))) == ("ok", "")


def test_outcome_of_failed_sessions_is_errors_with_a_sample() -> None:
    """It says how many failed, and the first failure's words, cut to a line's length."""
    result = make_result(2000, ok=500, errors=1500, err_sample="ValueError: " + "x" * 300)
    assert _decide(make_observation(result), sessions=2000) == (
        "errors",
        "1,500 of 2,000 sessions failed: ValueError: " + "x" * 188,
    )


def test_outcome_of_failed_sessions_without_a_sample_says_so() -> None:
    """A probe that gives no sample still has a reason."""
    result = make_result(2, ok=1, errors=1)
    assert _decide(make_observation(result), sessions=2) == (
        "errors",
        "1 of 2 sessions failed: no message",
    )


@pytest.mark.parametrize(
    "changes", [{"c": 499}, {"ok": 499}, {"errors": 1}, {"ok": 250, "errors": 249}]
)
def test_outcome_of_a_result_that_does_not_add_up_is_invalid(changes: dict[str, int]) -> None:
    """Sessions that are neither ok nor failed are the gauge's fault, not the subject's."""
    outcome, reason = _decide(make_observation(make_result(**{"c": 500, "ok": 500, **changes})))
    assert outcome == "invalid"
    assert reason.startswith("its RESULT does not add up to 500 sessions: C=")


def test_outcome_of_an_engine_error_is_invalid() -> None:
    """What the engine could not do says nothing about the subject, whatever else was seen."""
    seen = make_observation(make_result(500), engine_error="the engine fell over", timed_out=True)
    assert _decide(seen) == ("invalid", "the engine fell over")


def test_outcome_by_the_cgroup_is_oom() -> None:
    """The supervisor saw its cgroup's counter rise."""
    seen = make_observation(output=_printed(death=OOM), exit_code=137)
    assert _decide(seen) == ("oom", "out of memory at 2 GiB, its cgroup's oom_kill rose")


def test_outcome_by_the_engine_flag_is_oom() -> None:
    """The supervisor was killed as well: the engine's flag is what is left."""
    seen = make_observation(exit_code=137, oom_killed=True)
    assert _decide(seen) == ("oom", "out of memory at 2 GiB, the engine reports OOMKilled")


def test_outcome_quotes_the_cgroup_before_the_engine() -> None:
    """The witness nearest to the kill is the one that is quoted."""
    seen = make_observation(output=_printed(death=OOM), exit_code=137, oom_killed=True)
    assert _decide(seen)[1].endswith("its cgroup's oom_kill rose")


def test_outcome_of_our_own_kill_beats_oom() -> None:
    """A cell that swamped its memory while it was being killed for time still timed out."""
    seen = make_observation(
        output=_printed(death=OOM), exit_code=137, oom_killed=True, timed_out=True
    )
    assert _decide(seen)[0] == "timeout-stalled"


def test_outcome_of_exit_137_alone_is_a_kill_from_outside() -> None:
    """Nobody saw memory run out, and the supervisor had no time to tell of its worker: that was nobody in the box."""
    assert _decide(make_observation(exit_code=137)) == (
        "invalid",
        "somebody killed it from outside: exit code 137",
    )


def test_outcome_of_a_signal_is_a_crash_that_names_it() -> None:
    """A worker that was killed from elsewhere is not taken for out of memory."""
    death = Death(cause="signal", exit_code=139, signal=11)
    seen = make_observation(output=_printed(death=death), exit_code=139)
    assert _decide(seen) == ("crash", "killed by signal 11, and not for memory")


def test_outcome_of_exit_0_without_a_result_is_a_crash() -> None:
    """An exit code of success is no success."""
    assert _decide(make_observation()) == ("crash", "it exited 0 without a RESULT")


def test_outcome_of_an_unreadable_line_is_invalid() -> None:
    """A RESULT that cannot be read is no RESULT, and not the subject's doing."""
    seen = make_observation(output=_printed(faults=("a RESULT line cannot be read: torn",)))
    assert _decide(seen) == ("invalid", "a RESULT line cannot be read: torn")


def test_outcome_of_oom_beats_a_torn_line() -> None:
    """A worker that was killed in the middle of a line is a result, and is not run again."""
    output = _printed(death=OOM, faults=("a PROGRESS line cannot be read: torn",))
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
        pytest.param(_progress((39e3, 1, 1), (40e3, 2, 2)), "progressing", id="heard of late"),
        pytest.param(_progress((40e3, 0, 0)), "stalled", id="nothing ever"),
        pytest.param(_progress((5e3, 1, 1), (10e3, 9, 9)), "stalled", id="silent since long"),
        pytest.param(_progress(), "stalled", id="never heard of"),
    ],
)
def test_outcome_of_a_timeout_says_whether_it_still_moved(
    output: ProbeOutput, outcome: str
) -> None:
    """Slow and wedged are two failures that are mended in two ways."""
    seen = make_observation(output=output, timed_out=True, exit_code=137, wall_s=40.0)
    assert _decide(seen)[0] == f"timeout-{outcome}"


def test_outcome_of_a_timeout_says_how_far_it_came() -> None:
    """The reason has the limit and the sessions that had ended."""
    output = _progress((1000, 0, 10), (4000, 1500, 20))
    seen = make_observation(output=output, timed_out=True)
    assert _decide(seen, sessions=8000)[1] == "600 s timeout, 1,500 of 8,000 sessions done"
    stalled = make_observation(timed_out=True)
    assert _decide(stalled, sessions=8000)[1] == "600 s timeout, stalled, 0 of 8,000 sessions done"


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ({"cpus": 4.0}, "the box does not hold its caps: cpus 4.0, not 2.0"),
        ({"cpus": None}, "the box does not hold its caps: cpus None, not 2.0"),
        (
            {"memory_bytes": None},
            "the box does not hold its caps: memory None, not 2147483648",
        ),
        ({"swap_bytes": 1 << 30}, "the box does not hold its caps: swap 1073741824, not 0"),
        ({"network": ("eth0", "lo")}, "the box has a network: eth0, lo"),
    ],
)
def test_outcome_in_a_box_that_does_not_hold_its_caps_is_invalid(
    read: dict[str, object], reason: str
) -> None:
    """What was measured in another box than was asked for enters no table, not even as ok."""
    fields = {"cpus": 2.0, "memory_bytes": 2 << 30, "swap_bytes": 0, "network": ("lo",), **read}
    caps = BoxCaps(**fields)  # type: ignore[arg-type]  # each has the type of its field
    seen = make_observation(output=_printed(caps=caps, result=make_result(500)))
    assert _decide(seen) == ("invalid", reason)


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(HELD, id="all held"),
        pytest.param(
            BoxCaps(cpus=2.0, memory_bytes=2 << 30, swap_bytes=None), id="swap is not accounted"
        ),
        pytest.param(None, id="a probe that reads none"),
    ],
)
def test_outcome_in_a_box_that_holds_its_caps_is_the_subjects(inside: BoxCaps | None) -> None:
    """What a probe cannot read of its box is not held against it."""
    output = _printed(caps=inside, result=make_result(500))
    assert _decide(make_observation(output=output)) == ("ok", "")


@pytest.mark.parametrize(
    ("caps", "inside"),
    [
        pytest.param(
            Caps(cpus=2.0, memory_bytes=322_122_547),
            BoxCaps(cpus=2.0, memory_bytes=322_121_728, swap_bytes=0),
            id="memory in whole pages",
        ),
        pytest.param(
            Caps(cpus=4 / 3),
            BoxCaps(cpus=1.33333, memory_bytes=2 << 30, swap_bytes=0),
            id="cpus in whole microseconds",
        ),
    ],
)
def test_outcome_allows_caps_the_kernels_rounding(caps: Caps, inside: BoxCaps) -> None:
    """The kernel keeps memory in pages and CPU in microseconds a period: that is the cap, held."""
    output = _printed(caps=inside, result=make_result(500))
    assert _decide(make_observation(output=output), caps=caps) == ("ok", "")


def test_outcome_of_words_on_stderr_does_not_undo_an_ok_result() -> None:
    """A subject that met the limit and got over it has passed."""
    seen = make_observation(make_result(500), stderr=("OSError: Too many open files",))
    assert _decide(seen) == ("ok", "")


def test_outcome_of_words_beats_the_exit_code() -> None:
    """A worker that aborted for want of threads is not told as a mere signal."""
    death = Death(cause="signal", signal=6, stderr_tail=("can't start new thread",))
    seen = make_observation(output=_printed(death=death), exit_code=134)
    assert _decide(seen)[0] == Outcome.THREADS


def test_outcome_of_a_timeout_in_the_wrong_box_is_invalid() -> None:
    """How long a box takes that is not the one that was asked for says nothing."""
    caps = BoxCaps(cpus=1.0, memory_bytes=CAPS.memory_bytes, swap_bytes=0)
    seen = make_observation(output=_printed(caps=caps), timed_out=True, exit_code=137)
    assert _decide(seen) == ("invalid", "the box does not hold its caps: cpus 1.0, not 2.0")
