"""What is measured of a cell that ended ok, and what of it grows with the sessions."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.model.cells import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measured quantity that has a ratio and a slope.

    Args:
        name: The RESULT key.
        read: Takes it from a RESULT.
        per_session: Takes what grows with C, whose slope is the marginal cost of a session, or of a turn; None where there is none.
        unit: Of that slope.
    """

    name: str
    read: Callable[[Result], float | None]
    per_session: Callable[[Result], float | None] | None = None
    unit: str = ""


METRICS = (
    Metric(
        name="peak-threads",
        read=lambda result: result.peak_threads,
        per_session=lambda result: result.peak_threads,
        unit="threads/session",
    ),
    Metric(
        name="cpu-ms/turn",
        read=lambda result: result.cpu_ms_per_turn,
        per_session=lambda result: result.cpu_ms_per_turn and result.cpu_ms_per_turn * result.c,
        unit="cpu-ms/turn",
    ),
    Metric(name="latency-infl", read=lambda result: result.latency_infl),
    Metric(
        name="peak-rss-mb",
        read=lambda result: result.peak_rss_mb,
        per_session=lambda result: result.peak_rss_mb and result.peak_rss_mb * 1024,
        unit="KiB/session",
    ),
    Metric(name="rss-kb/sess", read=lambda result: result.rss_kb_per_session),
    Metric(
        name="peak-fds",
        read=lambda result: result.peak_fds,
        per_session=lambda result: result.peak_fds,
        unit="FDs/session",
    ),
)

ESTIMATED = tuple(
    metric for metric in METRICS if metric.name in {"cpu-ms/turn", "latency-infl", "rss-kb/sess"}
)
"""What is noisy, and therefore decided about by pairs; the rest is exact or follows from these."""
