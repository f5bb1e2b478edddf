"""A kill for memory: whose it was, and for whose limit."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.observation import Observation
from harness.outcome.protocol import Death, ProbeOutput
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

HOSTS = "the host, or a group around the box, ran out of memory: the box itself was below its cap"
OWN = "out of memory at 2 GiB, its cgroup's oom_kill rose"
CHILD = "out of memory at 2 GiB, a child of the worker was killed for memory: "


def _killed(**evidence: object) -> Observation:
    death = Death(cause="oom", signal=9, exit_code=137, evidence=evidence)
    return make_observation(output=ProbeOutput(death=death), exit_code=137)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        pytest.param({}, ("oom", OWN), id="nothing to go by"),
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
            {"memory-peak-bytes": 1 << 30, "memory-max-bytes": 1 << 30},
            ("oom", OWN),
            id="the limit that holds inside",
        ),
        pytest.param({"memory-peak-bytes": "much"}, ("oom", OWN), id="no number"),
    ],
)
def test_outcome_of_a_kill_for_memory_tells_whose_limit_it_was(
    evidence: dict[str, object], expected: tuple[str, str]
) -> None:
    """Only what the box itself had reached tells its own limit from one around it: the kill is counted in the box both times."""
    assert decide(_killed(**evidence), Caps(), 500) == expected


def test_outcome_of_a_kill_that_only_the_box_saw_goes_by_the_boxs_peak() -> None:
    """Where no supervisor is left to tell, what was seen from outside decides."""
    peak = {"memory-peak-bytes": 1 << 30}
    seen = make_observation(exit_code=137, oom_killed=True, box_evidence={**peak, "oom-kills": 1})
    assert decide(seen, Caps(), 500) == ("invalid", HOSTS)
    sampled = make_observation(exit_code=137, oom_killed=True, box_evidence=peak)
    assert decide(sampled, Caps(), 500)[0] == "oom", "it may have grown since the last look"


@pytest.mark.parametrize("result", [make_result(500), make_result(500, ok=499, errors=1)])
def test_outcome_of_a_child_that_was_killed_is_oom(result: object) -> None:
    """A worker that came to its end, well or not, did so in a box without memory."""
    death = Death(cause="oom", exit_code=0, evidence={"oom-kills": 1})
    seen = make_observation(output=ProbeOutput(result=result, death=death))  # type: ignore[arg-type]
    assert decide(seen, Caps(), 500) == ("oom", f"{CHILD}its cgroup's oom_kill rose")


def test_outcome_of_a_child_that_only_the_engine_saw_killed_is_oom() -> None:
    """The same from the engine's flag."""
    seen = make_observation(make_result(500), oom_killed=True)
    assert decide(seen, Caps(), 500) == ("oom", f"{CHILD}the engine reports OOMKilled")


def test_outcome_of_a_worker_that_lost_a_child_and_ended_is_oom() -> None:
    """An exit code that the kill led to is not told for itself."""
    death = Death(cause="exit", exit_code=1, evidence={"oom-kills": 1})
    seen = make_observation(output=ProbeOutput(death=death), exit_code=1)
    assert decide(seen, Caps(), 500) == ("oom", f"{CHILD}its cgroup's oom_kill rose")


def test_outcome_of_a_kill_among_others_is_not_the_cells() -> None:
    """A box that holds no memory has its cells in a group of others, whose kills say nothing about a cell that ended well."""
    death = Death(cause="oom", exit_code=0, evidence={"oom-kills": 1})
    output = ProbeOutput(result=make_result(500), death=death)
    assert decide(make_observation(output=output, holds=()), Caps(), 500) == ("ok", "")
