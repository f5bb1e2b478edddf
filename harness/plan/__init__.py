"""The order of cells, phase by phase, as a pure function of what has happened so far."""

from harness.plan.budget import Unresolved, find_unresolved, used_s
from harness.plan.decisions import decision_levels, missing_pairs
from harness.plan.order import check_slots
from harness.plan.outlook import Outlook, imagine_rest, look_ahead
from harness.plan.plan import Plan, plan_of
from harness.plan.refinement import TOLERANCE
from harness.plan.sequence import next_slot, planned_slots

__all__ = [
    "TOLERANCE",
    "Outlook",
    "Plan",
    "Unresolved",
    "check_slots",
    "decision_levels",
    "find_unresolved",
    "imagine_rest",
    "look_ahead",
    "missing_pairs",
    "next_slot",
    "plan_of",
    "planned_slots",
    "used_s",
]
