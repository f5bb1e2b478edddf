"""The metrics of a cell that ended ok, and how they grow with the sessions."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.model.cells import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measured quantity.

    Args:
        name: Its key in the RESULT.
        read: Returns its value in a RESULT.
        per_session: Returns the quantity whose slope over C is the cost of a session, or of a turn; None if there is none.
    """

    name: str
    read: Callable[[Result], float | None]
    per_session: Callable[[Result], float | None] | None = None


METRICS = (
    Metric(
        name="peak-threads",
        read=lambda result: result.peak_threads,
        per_session=lambda result: result.peak_threads,
    ),
    Metric(
        name="cpu-ms/turn",
        read=lambda result: result.cpu_ms_per_turn,
        per_session=lambda result: result.cpu_ms_per_turn and result.cpu_ms_per_turn * result.c,
    ),
    Metric(name="latency-infl", read=lambda result: result.latency_infl),
    Metric(
        name="peak-rss-mb",
        read=lambda result: result.peak_rss_mb,
        per_session=lambda result: result.peak_rss_mb and result.peak_rss_mb * 1024,
    ),
    Metric(name="rss-kb/sess", read=lambda result: result.rss_kb_per_session),
    Metric(
        name="peak-fds",
        read=lambda result: result.peak_fds,
        per_session=lambda result: result.peak_fds,
    ),
)

ESTIMATED = tuple(
    metric for metric in METRICS if metric.name in {"cpu-ms/turn", "latency-infl", "rss-kb/sess"}
)
"""Noisy metrics, compared by pairs of cells; all others are exact."""
