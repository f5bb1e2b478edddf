"""A kill for memory: of the worker or of a child that it had, for the box's own limit or for somebody else's."""

from harness.model import Caps, Outcome
from harness.outcome.observation import Observation
from harness.protocol import Death
from harness.units import show_bytes

_REACHED = (
    0.95  # of its limit: the kernel kills when a charge would go beyond it, and counts in batches
)
_HOSTS = "the host, or a group around the box, ran out of memory: the box itself was below its cap"


def killed_for_memory(seen: Observation, caps: Caps) -> tuple[Outcome, str] | None:
    """Tell of a kill for memory that the supervisor or the box has seen; None without one.

    The kernel counts a kill in the group of whoever was killed, for whosever limit it was: a group around the box, or the host itself.
    """
    is_box = (
        "memory" in seen.holds
    )  # else the supervisor's group is one that others are in as well
    by_cgroup = _is_counted(seen) and (is_box or not _has_survived(seen))
    if not by_cgroup and not seen.oom_killed:
        return None
    if is_box and _is_from_outside(seen, caps):
        return Outcome.INVALID, _HOSTS
    witness = "its cgroup's oom_kill rose" if by_cgroup else seen.oom_witness
    child = "a child of the worker was killed for memory: " if _has_survived(seen) else ""
    return Outcome.OOM, f"out of memory at {show_bytes(caps.memory_bytes)}, {child}{witness}"


def _is_counted(seen: Observation) -> bool:
    death = seen.output.death
    return death is not None and (death.cause == "oom" or _count(death, "oom-kills") > 0)


def _has_survived(seen: Observation) -> bool:
    """Whether the worker came to its end by itself, so that it was somebody else in the cell who was killed."""
    death = seen.output.death
    return seen.output.result is not None or (death is not None and death.signal in {None, 0})


def _is_from_outside(seen: Observation, caps: Caps) -> bool:
    """Whether a kill came when the box had not reached its limit, and so from around it.

    The kernel's own count of how often a group ran out (v2) decides where there is one; else its peak does, which holds what files it cached
    as well.
    """
    death = seen.output.death
    if death is not None and _count(death, "oom-kills") > 0 and "oom-events" in death.evidence:
        events = death.evidence["oom-events"]
        if isinstance(events, int | float):
            return events == 0
    inside = death.evidence if death is not None else {}
    peak = inside.get("memory-peak-bytes", _peak_at_the_end(seen))
    limit = inside.get("memory-max-bytes", caps.memory_bytes)
    return isinstance(peak, int) and isinstance(limit, int) and peak < limit * _REACHED


def _peak_at_the_end(seen: Observation) -> object:
    """Return the box's own figure where it was read once all was over, with the count of kills; one that was sampled may be a second old."""
    outside = seen.box_evidence
    return outside.get("memory-peak-bytes") if outside.get("oom-kills") else None


def _count(death: Death, key: str) -> float:
    value = death.evidence.get(key)
    return value if isinstance(value, int | float) else 0
