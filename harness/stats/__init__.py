"""What can be said from a few noisy measurements: estimates with intervals, decisions, what a run could have seen, and lines."""

from harness.stats.decisions import holm, mcnemar, p_above, p_below
from harness.stats.estimate import Estimate, change_of
from harness.stats.lines import Line, fit_line, reach, slope
from harness.stats.paired import (
    deviation,
    geometric_mean,
    log_ratios,
    mean_of_logs,
    ratio_of_pairs,
)
from harness.stats.power import pairs_needed, power_of, smallest_effect
from harness.stats.ranks import hodges_lehmann, pseudomedian

__all__ = [
    "Estimate",
    "Line",
    "change_of",
    "deviation",
    "fit_line",
    "geometric_mean",
    "hodges_lehmann",
    "holm",
    "log_ratios",
    "mcnemar",
    "mean_of_logs",
    "p_above",
    "p_below",
    "pairs_needed",
    "power_of",
    "pseudomedian",
    "ratio_of_pairs",
    "reach",
    "slope",
    "smallest_effect",
]
