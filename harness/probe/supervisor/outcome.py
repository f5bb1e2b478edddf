"""Make the OUTCOME map: the cause of a worker's bad end and the evidence."""

from collections.abc import Mapping, Sequence
from typing import Literal

Cause = Literal["oom", "signal", "exit", "errors"]


def exit_code_of(returncode: int) -> int:
    """Return a process's exit code as a shell does: 128+N for signal N.

    Args:
        returncode: The exit code, or minus the signal.
    """
    return 128 - returncode if returncode < 0 else returncode


def cause_of(returncode: int, oom_kills: float | None) -> Cause:
    """Return the cause of the end of a worker without a report.

    Args:
        returncode: Its exit code, or minus the signal.
        oom_kills: Increase of its cgroup's OOM kills; None without a count.
    """
    if oom_kills:
        return "oom"
    return "signal" if returncode < 0 else "exit"


def make_outcome(
    cause: Cause, returncode: int, evidence: Mapping[str, object], stderr_tail: Sequence[str]
) -> Mapping[str, object]:
    """Return the OUTCOME map.

    Args:
        cause: The cause of the worker's end. For a worker with a report: `errors` for failed
            sessions, `oom` for a killed child.
        returncode: Its exit code, or minus the signal.
        evidence: The last measurements, by the protocol's names.
        stderr_tail: Its last lines.
    """
    return {
        "cause": cause,
        "exit-code": exit_code_of(returncode),
        "signal": -returncode if returncode < 0 else None,
        "evidence": evidence,
        "stderr-tail": list(stderr_tail),
    }
