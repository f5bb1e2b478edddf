"""Exact costs: what is counted, how a counter's output is read, and how counts at two levels become costs."""

from harness.costs.count import Count, CounterName, Uncounted
from harness.costs.readings import CountLine, read_calls, read_count_line, read_instructions
from harness.costs.slopes import Pass, changed, find_costs

__all__ = [
    "Count",
    "CountLine",
    "CounterName",
    "Pass",
    "Uncounted",
    "changed",
    "find_costs",
    "read_calls",
    "read_count_line",
    "read_instructions",
]
