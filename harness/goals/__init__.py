"""The speed goals: what they are, in which order their cells run, and what the cells say of them."""

from harness.goals.definitions import GOALS, choose_goals
from harness.goals.findings import Finding, GoalTable, find_goals
from harness.goals.goal import LADDER_FROM, REFERENCE_CAPS, REFERENCE_LOAD, Goal, drives_of
from harness.goals.plan import next_run

__all__ = [
    "GOALS",
    "LADDER_FROM",
    "REFERENCE_CAPS",
    "REFERENCE_LOAD",
    "Finding",
    "Goal",
    "GoalTable",
    "choose_goals",
    "drives_of",
    "find_goals",
    "next_run",
]
