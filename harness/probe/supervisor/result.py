"""Make the RESULT map: the formulas from measurements to its numbers."""

from collections.abc import Mapping, Sequence

from harness.probe.report import Report
from harness.probe.settings import Settings
from harness.probe.supervisor.sampler import Peaks

SCHEMA = 1
_TIMED = ("wall-ms", "p50-session-ms", "p99-session-ms", "latency-infl", "mock-lag-p99-ms")


def percentile(ordered: Sequence[float], n: int) -> float | None:
    """Return the value at index ``min(len-1, floor(n/100*len))``; None without values.

    Args:
        ordered: Smallest first.
        n: In %, 0-100.
    """
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, n * len(ordered) // 100)]


def percentile_of_counts(counts: Mapping[int, int], n: int) -> int | None:
    """Return the same for values in a histogram.

    Args:
        counts: Number of occurrences, by value.
        n: In %, 0-100.
    """
    total = sum(counts.values())
    index = min(total - 1, n * total // 100)
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed > index:
            return value
    return None


def make_result(
    settings: Settings, report: Report, peaks: Peaks, throttled_ms: float | None
) -> Mapping[str, object]:
    """Return the RESULT map in the key order of its contract; None for absent numbers.

    Under the virtual clock all latencies are absent.

    Args:
        settings: The settings of the run.
        report: The merged measurements of the workers.
        peaks: Their peaks, sampled by the supervisor.
        throttled_ms: Time of throttling by the cgroup's CPU quota.
    """
    turns_total = report.ok * settings.turns
    peak_rss_kb = max(peaks.rss_kb, report.peak_rss_kb or 0)
    ordered_ms = sorted(report.latencies_ms)
    p50_ms, p99_ms = percentile(ordered_ms, 50), percentile(ordered_ms, 99)
    session_ms = settings.turns * settings.nominal_turn_ms
    result = {
        "arm": settings.arm,
        "vt": settings.is_virtual,
        "C": settings.sessions,
        "ok": report.ok,
        "errors": report.errors,
        "err-sample": report.err_sample,
        "wall-ms": round(report.wall_ms, 1),
        "turns-total": turns_total,
        "nominal-turn-ms": settings.nominal_turn_ms,
        "p50-session-ms": _rounded(p50_ms, 1),
        "p99-session-ms": _rounded(p99_ms, 1),
        "latency-infl": _ratio(p50_ms, session_ms, 4),
        "cpu-sec": round(report.cpu_s, 4),
        "cpu-ms/turn": _ratio(report.cpu_s * 1000, turns_total, 5),
        "peak-rss-mb": round(peak_rss_kb / 1024, 1),
        "rss-kb/sess": _ratio(peak_rss_kb, settings.sessions, 1),
        "peak-threads": peaks.threads,
        "deltas": sum(report.lags.values()),
        "state-kb": settings.state_kb,
        "schema": SCHEMA,
        "procs": settings.procs,
        "workers": report.workers,
        "pacing": settings.pacing,
        "mock-lag-p99-ms": percentile_of_counts(report.lags, 99),
        "base-rss-mb": _ratio(report.base_rss_kb, 1024, 1),
        "peak-fds": peaks.fds,
        "throttled-ms": _rounded(throttled_ms, 1),
        "python": report.python,
        "subject": report.subject,
    }
    if settings.clock == "virtual":
        result.update(dict.fromkeys(_TIMED))
    return result


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _ratio(value: float | None, over: float, digits: int) -> float | None:
    return None if value is None or not over else round(value / over, digits)
