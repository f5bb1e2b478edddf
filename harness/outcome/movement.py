"""A cell that ran into its time limit: whether it still moved."""

from harness.model import Caps, Outcome
from harness.outcome.observation import Observation, sessions_done
from harness.protocol import ProgressLine
from harness.units import show_count, show_seconds

_QUIET_MS = 2500  # PROGRESS comes once a second, and a container takes a moment to start


def timed_out(seen: Observation, caps: Caps, sessions: int) -> tuple[Outcome, str] | None:
    """Tell of a cell that was ended at its time limit, by what it did and not by its pulse; None for any other."""
    if not seen.timed_out:
        return None
    limit = f"{show_seconds(caps.timeout_s)} timeout"
    done = f"{show_count(sessions_done(seen) or 0)} of {show_count(sessions)} sessions done"
    moving = _is_moving(seen)
    kind = Outcome.TIMEOUT_PROGRESSING if moving else Outcome.TIMEOUT_STALLED
    return kind, f"{limit}, {'' if moving else 'stalled, '}{done}"


def _is_moving(seen: Observation) -> bool:
    """Whether sessions or tokens still arrived at the end: in the last quarter of the cell's time, or what of it can be told."""
    wall_ms = seen.wall_s * 1000
    since_ms = wall_ms - max(wall_ms / 4, _QUIET_MS)
    progress = seen.output.progress
    if not progress or progress[-1].t_ms < since_ms:
        return False
    last = progress[-1]
    before = [ProgressLine(), *(line for line in progress if line.t_ms <= since_ms)][-1]
    return (last.done, last.deltas or 0) != (before.done, before.deltas or 0)
