"""The outcomes that are easily mistaken for another one."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.protocol import Death, ProbeOutput, ProgressLine
from harness.outcome.rules import decide
from tests.builders.model import make_observation


def test_outcome_of_a_segfault_is_no_lack_of_files() -> None:
    """What a worker survived and logged is not what it died of."""
    death = Death(cause="signal", signal=11, stderr_tail=("OSError: Too many open files",))
    seen = make_observation(output=ProbeOutput(death=death), exit_code=139)
    assert decide(seen, Caps(), 500) == ("crash", "killed by signal 11, and not for memory")


def test_outcome_of_an_oom_below_the_cap_is_the_hosts() -> None:
    """The kernel counts a kill by the host's killer in the cgroup as well."""
    evidence = {"memory-peak-bytes": 1 << 30, "memory-max-bytes": 2 << 30}
    death = Death(cause="oom", signal=9, evidence=evidence)
    seen = make_observation(output=ProbeOutput(death=death), exit_code=137)
    reason = (
        "the host, or a group around the box, ran out of memory: the box itself was below its cap"
    )
    assert decide(seen, Caps(), 500) == ("invalid", reason)


@pytest.mark.parametrize("code", [130, 143])
def test_outcome_of_a_container_that_somebody_stopped_is_invalid(code: int) -> None:
    """A supervisor that was asked to stop has no verdict on its worker."""
    seen = make_observation(exit_code=code)
    assert decide(seen, Caps(), 500) == ("invalid", f"somebody stopped it: exit code {code}")


def test_outcome_of_an_abort_without_a_word_is_a_crash() -> None:
    """An abort that says nothing of a resource is told with its exit code."""
    death = Death(cause="signal", signal=6)
    seen = make_observation(output=ProbeOutput(death=death), exit_code=134)
    assert decide(seen, Caps(), 500) == ("crash", "exit code 134 without a RESULT")


@pytest.mark.parametrize(("deltas", "outcome"), [(90, "progressing"), (0, "stalled")])
def test_outcome_of_a_short_timeout_goes_by_its_one_line(deltas: int, outcome: str) -> None:
    """A cell of two seconds is heard of once, and what arrived by then shows that it moved."""
    output = ProbeOutput(progress=(ProgressLine(t_ms=1003, deltas=deltas),))
    seen = make_observation(output=output, timed_out=True, exit_code=137, wall_s=2.3)
    assert decide(seen, Caps(timeout_s=2.0), 500)[0] == f"timeout-{outcome}"
