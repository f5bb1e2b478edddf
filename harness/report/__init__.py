"""A comparison, and the plan of one, as people read them."""

from harness.report.arms import arms_text
from harness.report.document import render
from harness.report.goals import goal_line, render_goals
from harness.report.index import index_text
from harness.report.lines import cell_line, knee_line, place, printable
from harness.report.plan import plan_text

__all__ = [
    "arms_text",
    "cell_line",
    "goal_line",
    "index_text",
    "knee_line",
    "place",
    "plan_text",
    "printable",
    "render",
    "render_goals",
]
