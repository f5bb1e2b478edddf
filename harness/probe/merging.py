"""Putting the reports of several workers together: as if one had driven all the sessions."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.probe.report import Report


def merge(reports: Sequence[Report]) -> Report:
    """Return what all the workers measured together.

    Args:
        reports: At least one, in the order of the shards; they are of one interpreter and one subject.
    """
    latencies_ms = array("d")
    lags: Counter[int] = Counter()
    for report in reports:
        latencies_ms.extend(report.latencies_ms)
        lags.update(report.lags)
    return Report(
        ok=sum(report.ok for report in reports),
        errors=sum(report.errors for report in reports),
        err_sample=next((report.err_sample for report in reports if report.err_sample), None),
        wall_ms=max(report.wall_ms for report in reports),
        latencies_ms=latencies_ms,
        cpu_s=sum(report.cpu_s for report in reports),
        lags=lags,
        base_rss_kb=_sum(report.base_rss_kb for report in reports),
        peak_rss_kb=max(report.peak_rss_kb or 0 for report in reports) or None,
        workers=_agreed(report.workers for report in reports),
        python=reports[0].python,
        subject=reports[0].subject,
    )


def _sum(values: Iterable[int | None]) -> int | None:
    """Add up; a sum that lacks a part is no sum."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _agreed(seen: Iterable[str | None]) -> str | None:
    """Return how all the shards that saw any stream saw it driven."""
    kinds = sorted({kind for kind in seen if kind is not None})
    if len(kinds) > 1:
        return "mixed"
    return kinds[0] if kinds else None
