"""The judgement of real probe output about a worker's end."""

import pytest

from harness.model.nouns import Caps, Outcome
from harness.outcome.observation import Observation
from harness.outcome.protocol import read_output
from harness.outcome.rules import decide
from tests.integration.probe_runs import Ended, Probe, Start, end, read_until

CAPS = Caps(timeout_s=4.0)
_PULSES = 4  # PROGRESS lines, a second apart: the last quarter of a cell and a second before


def _decide(ended: Ended, **seen: object) -> tuple[Outcome, str]:
    quiet = ended.stdout.replace('"host-ms"', '"ignored"')  # the load of this host is irrelevant
    observation = Observation(
        output=read_output(quiet.splitlines()),
        exit_code=ended.code,
        stderr=tuple(ended.stderr.splitlines()),
        holds=(),
        **{"wall_s": 60.0, **seen},  # type: ignore[arg-type]  # each has the type of its field
    )
    return decide(observation, CAPS, 3, attempt=1)


def _run_out_of_time(process: Probe) -> tuple[Outcome, str]:
    """Kill a probe after some PROGRESS lines, as a box does at its time limit."""
    pulses = ""
    for _ in range(_PULSES):
        pulses += read_until(process, "PROGRESS")
    process.kill()
    ended = end(process)
    whole = Ended(ended.code, ended.maps, pulses + ended.stdout, ended.stderr)
    last = read_output(whole.stdout.splitlines()).progress[-1]
    return _decide(whole, timed_out=True, wall_s=last.t_ms / 1000)


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
def test_probe_with_a_worker_that_blocks_in_a_call_has_stalled(start: Start, virtual: str) -> None:
    """The supervisor prints PROGRESS each second, but no token comes."""
    assert _run_out_of_time(start("sc-mem 3 2 1 1 1", "holds-the-lock", SCALE_VT=virtual)) == (
        Outcome.TIMEOUT_STALLED,
        "4.0 s timeout, stalled, 0 of 3 sessions done",
    )


@pytest.mark.slow
def test_probe_with_late_tokens_is_only_slow(start: Start) -> None:
    """No session has ended, but all of them progress."""
    assert _run_out_of_time(start("hand 3 1 10 10000 20")) == (
        Outcome.TIMEOUT_PROGRESSING,
        "4.0 s timeout, 0 of 3 sessions done",
    )


@pytest.mark.slow
def test_probe_of_a_runtime_that_reports_wedged_sessions_has_failed_sessions(start: Start) -> None:
    """The runtime ends the sessions with an error that names the state."""
    outcome, reason = _decide(end(start("sc-mem 3 2 1 1 1", "wedges")))
    assert outcome is Outcome.ERRORS
    assert reason.startswith("3 of 3 sessions failed: RuntimeError: session-00000")
    assert "is wedged in state 'turn'" in reason


@pytest.mark.slow
def test_probe_reports_sessions_that_run_out_of_files(start: Start) -> None:
    """The message of the first failure names the cause."""
    outcome, reason = _decide(end(start("sc-mem 3 2 1 1 1", "opens-files")))
    assert (outcome, reason) == (
        Outcome.FDS,
        "open files ran out, 3 of 3 sessions failed",
    )
