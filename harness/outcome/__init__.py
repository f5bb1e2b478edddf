"""How a cell ended: what was observed, and the rules that turn it into one outcome and its reason."""

from harness.outcome.observation import Observation, evidence_of, sessions_done
from harness.outcome.resources import MAPS_A_THREAD, name_thread_limit
from harness.outcome.rules import Decision, decide

__all__ = [
    "MAPS_A_THREAD",
    "Decision",
    "Observation",
    "decide",
    "evidence_of",
    "name_thread_limit",
    "sessions_done",
]
