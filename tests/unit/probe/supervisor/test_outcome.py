"""The OUTCOME map of a worker."""

import pytest

from harness.probe.supervisor.outcome import cause_of, exit_code_of, make_outcome


@pytest.mark.parametrize(
    ("returncode", "oom_kills", "cause", "exit_code"),
    [
        (-9, 1, "oom", 137),
        (-9, 0, "signal", 137),
        (-9, None, "signal", 137),
        (-11, 0, "signal", 139),
        (1, 0, "exit", 1),
        (0, 0, "exit", 0),
    ],
)
def test_outcome_names_the_cause_and_keeps_the_exit_code(
    returncode: int, oom_kills: int | None, cause: str, exit_code: int
) -> None:
    """A kill is an OOM only by the cgroup's own count."""
    assert cause_of(returncode, oom_kills) == cause
    assert exit_code_of(returncode) == exit_code


def test_outcome_has_the_keys_of_the_contract() -> None:
    """A signal is a number, and None without one."""
    assert make_outcome("oom", -9, {"sessions-done": 1}, ["last"]) == {
        "cause": "oom",
        "exit-code": 137,
        "signal": 9,
        "evidence": {"sessions-done": 1},
        "stderr-tail": ["last"],
    }
    assert make_outcome("exit", 3, {}, [])["signal"] is None
