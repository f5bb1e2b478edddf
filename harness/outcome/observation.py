"""All that was seen of one cell, and what of it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from harness.model.nouns import HOLDABLE
from harness.model.stored import MOST
from harness.outcome.disturbance import host_evidence
from harness.outcome.protocol import ProbeOutput, cut_text

_KEPT_LINES = 10
_KEPT_LINE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that was seen of one cell.

    Args:
        output: What the probe printed.
        stderr: The last lines of what the container wrote to standard error.
        exit_code: As the engine gives it; None when it knows none.
        oom_killed: The box says that something in the cell was killed for memory.
        oom_witness: How the box knows.
        timed_out: We killed it, at its time limit.
        engine_error: What the engine said when the cell could not be run as asked; empty otherwise.
        wall_s: From start to end, in seconds.
        stdout: The raw output, for the log.
        holds: Which of `HOLDABLE` the box holds for certain, so that what is read inside has to be what was asked for.
        box_evidence: What the box saw of the cell from outside, by the names of the record.
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


def evidence_of(seen: Observation) -> dict[str, object]:
    """Return what a decision rests on, by source, for the record."""
    death = seen.output.death
    evidence: dict[str, object] = {
        "exit-code": seen.exit_code,
        "engine-oom-killed": seen.oom_killed,
        "timed-out": seen.timed_out,
    }
    evidence |= {"box": dict(seen.box_evidence)} if seen.box_evidence else {}
    evidence |= {"engine-error": seen.engine_error} if seen.engine_error else {}
    if seen.output.faults or seen.output.torn:
        evidence["protocol-faults"] = [*seen.output.faults, *seen.output.torn]
    if seen.output.caps is not None:
        evidence["caps-read-inside"] = {
            "cpus": seen.output.caps.cpus,
            "memory-bytes": seen.output.caps.memory_bytes,
            "swap-bytes": seen.output.caps.swap_bytes,
            "pids": seen.output.caps.pids,
            "network": seen.output.caps.network,
        }
    if host := host_evidence(seen.output.progress):
        evidence["host"] = host
    busy = [line.cpu_pct for line in seen.output.progress if line.cpu_pct is not None]
    if busy:
        evidence["cpu-pct"] = median(busy)  # of one processor, as a rule over its seconds
    if death is not None:
        evidence["supervisor"] = {"cause": death.cause, "signal": death.signal, **death.evidence}
    if seen.output.result is None and seen.stderr:
        evidence["stderr-tail"] = [
            cut_text(line, _KEPT_LINE) for line in seen.stderr[-_KEPT_LINES:]
        ]
    return evidence


def sessions_done(seen: Observation) -> int | None:
    """Return how many sessions had ended when the cell was last heard of; None where that was no count."""
    found: object = seen.output.progress[-1].done if seen.output.progress else None
    if seen.output.result is not None:
        found = seen.output.result.ok + seen.output.result.errors
    elif seen.output.death is not None:
        found = seen.output.death.evidence.get("sessions-done", found)
    if not isinstance(found, int) or isinstance(found, bool):
        return None
    return found if 0 <= found <= MOST else None
