"""The observation of one cell, and the evidence that is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

import msgspec

from harness.model.nouns import HOLDABLE
from harness.model.stored import MOST
from harness.outcome.disturbance import host_evidence
from harness.outcome.protocol import ProbeOutput, cut_text

_KEPT_LINES = 10
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that was observed of one cell.

    Args:
        exit_code: None where the engine has none.
        oom_killed: True if the box reports a kill for memory in the cell.
        oom_witness: How the box knows.
        timed_out: True if the box killed the cell at its time limit.
        engine_error: Why the cell could not be run as requested; else empty.
        stderr: The last lines of the container's standard error.
        stdout: The raw output, for the log.
        holds: The members of `HOLDABLE` that the box enforces.
        box_evidence: Measured from outside the cell, by the names of the record.
    """

    output: ProbeOutput
    exit_code: int | None
    wall_s: float
    oom_killed: bool = False
    oom_witness: str = "the engine reports OOMKilled"
    timed_out: bool = False
    engine_error: str = ""
    stderr: tuple[str, ...] = ()
    stdout: str = ""
    holds: tuple[str, ...] = HOLDABLE
    box_evidence: Mapping[str, object] = field(default_factory=dict)


def evidence_of(observation: Observation) -> dict[str, object]:
    """Return the evidence to store with the cell, by its source."""
    output, worker_exit = observation.output, observation.output.worker_exit
    evidence: dict[str, object] = {
        "exit-code": observation.exit_code,
        "engine-oom-killed": observation.oom_killed,
        "timed-out": observation.timed_out,
    }
    optional: dict[str, object] = {
        "box": dict(observation.box_evidence),
        "engine-error": observation.engine_error,
        "protocol-faults": [*output.faults, *output.torn],
        "caps-read-inside": output.caps and msgspec.to_builtins(output.caps),
        "host": host_evidence(output.progress),
    }
    evidence |= {name: value for name, value in optional.items() if value}
    busy = [line.cpu_pct for line in output.progress if line.cpu_pct is not None]
    if busy:
        evidence["cpu-pct"] = median(busy)  # of one processor
    if worker_exit is not None:
        account = {"cause": worker_exit.cause, "signal": worker_exit.signal}
        evidence["supervisor"] = account | worker_exit.evidence
    if output.result is None and observation.stderr:
        tail = observation.stderr[-_KEPT_LINES:]
        evidence["stderr-tail"] = [cut_text(line, _LONGEST_LINE) for line in tail]
    return evidence


def sessions_done(observation: Observation) -> int | None:
    """Return the last known number of ended sessions; None if it is no valid count."""
    output = observation.output
    done: object = output.progress[-1].done if output.progress else None
    if output.result is not None:
        done = output.result.ok + output.result.errors
    elif output.worker_exit is not None:
        done = output.worker_exit.evidence.get("sessions-done", done)
    if not isinstance(done, int) or isinstance(done, bool):
        return None
    return done if 0 <= done <= MOST else None


def number_in(evidence: Mapping[str, object], key: str) -> float:
    """Return a number of the evidence; 0 where it is missing or no number."""
    value = evidence.get(key)
    return value if isinstance(value, int | float) else 0
