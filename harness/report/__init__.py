"""A comparison, and the plan of one, as people read them."""

from harness.printable import printable
from harness.report.arms import arms_text
from harness.report.costs import CostHeader, cost_sections, in_words, render_costs
from harness.report.doctor import doctor_text
from harness.report.document import render, render_summary
from harness.report.goals import goal_line, render_goals
from harness.report.index import index_text
from harness.report.lines import cell_line, knee_line, place, show_caps, show_title
from harness.report.plan import plan_text, rest_text
from harness.report.selftest import SelfTestRow, render_selftest
from harness.report.tables import levels_table
from harness.report.verdict import counted_lines

__all__ = [
    "CostHeader",
    "SelfTestRow",
    "arms_text",
    "cell_line",
    "cost_sections",
    "counted_lines",
    "doctor_text",
    "goal_line",
    "in_words",
    "index_text",
    "knee_line",
    "levels_table",
    "place",
    "plan_text",
    "printable",
    "render",
    "render_costs",
    "render_goals",
    "render_selftest",
    "render_summary",
    "rest_text",
    "show_caps",
    "show_title",
]
