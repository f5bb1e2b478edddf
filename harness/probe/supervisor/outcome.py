"""The OUTCOME map: why a worker came to no good end, and the evidence."""

from collections.abc import Mapping, Sequence
from typing import Literal

Cause = Literal["oom", "signal", "exit", "errors"]


def exit_code_of(returncode: int) -> int:
    """Return a process's exit code as a shell gives it: 128+N for signal N.

    Args:
        returncode: The exit code, or minus the signal.
    """
    return 128 - returncode if returncode < 0 else returncode


def cause_of(returncode: int, oom_kills: float | None) -> Cause:
    """Name what ended a worker that did not report.

    Args:
        returncode: Its exit code, or minus the signal.
        oom_kills: By how much its cgroup's count of killed processes rose; None where there is no count.
    """
    if oom_kills:
        return "oom"
    return "signal" if returncode < 0 else "exit"


def make_outcome(
    cause: Cause, returncode: int, evidence: Mapping[str, object], stderr_tail: Sequence[str]
) -> Mapping[str, object]:
    """Return the OUTCOME map.

    Args:
        cause: What ended the worker; of one that came to its end and reported, `errors` when sessions failed, `oom` when a child of it was killed.
        returncode: Its exit code, or minus the signal.
        evidence: What was seen, by the names of the protocol.
        stderr_tail: Its last lines.
    """
    return {
        "cause": cause,
        "exit-code": exit_code_of(returncode),
        "signal": -returncode if returncode < 0 else None,
        "evidence": evidence,
        "stderr-tail": list(stderr_tail),
    }
