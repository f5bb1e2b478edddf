"""The formulas of the RESULT map."""

from array import array
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.probe.report import Report
from harness.probe.settings import Settings
from harness.probe.supervisor.result import make_result, percentile, percentile_of_counts
from harness.probe.supervisor.sampler import Peaks

KEYS = [
    "arm",
    "vt",
    "C",
    "ok",
    "errors",
    "err-sample",
    "wall-ms",
    "turns-total",
    "nominal-turn-ms",
    "p50-session-ms",
    "p99-session-ms",
    "latency-infl",
    "cpu-sec",
    "cpu-ms/turn",
    "peak-rss-mb",
    "rss-kb/sess",
    "peak-threads",
    "deltas",
    "state-kb",
    "schema",
    "procs",
    "workers",
    "pacing",
    "mock-lag-p99-ms",
    "base-rss-mb",
    "peak-fds",
    "throttled-ms",
    "python",
    "subject",
]

REPORT = Report(
    ok=4,
    errors=0,
    err_sample=None,
    wall_ms=61.04,
    latencies_ms=array("d", [80.0, 70.0, 75.0, 60.0]),
    cpu_s=0.016,
    lags={1: 1, 0: 23},
    base_rss_kb=20480,
    peak_rss_kb=30720,
    workers="platform",
    python="3.11.7",
    subject={"path": "/x", "version": "1", "hash": "00"},
)
PEAKS = Peaks(threads=9, rss_kb=40960, fds=12)


@pytest.mark.parametrize(
    ("count", "n", "index"),
    [(1, 50, 0), (2, 50, 1), (4, 50, 2), (100, 99, 99), (200, 99, 198), (3, 99, 2), (1, 100, 0)],
)
def test_percentile_takes_the_value_at_the_floored_index(count: int, n: int, index: int) -> None:
    """PN is the value at index min(len-1, floor(N/100*len))."""
    assert percentile(range(count), n) == index


def test_percentile_of_nothing_is_absent() -> None:
    """Without sessions there is no latency."""
    assert percentile([], 50) is None


@pytest.mark.parametrize(
    ("counts", "n", "value"),
    [
        ({}, 99, None),
        ({4: 1}, 99, 4),
        ({7: 1, 0: 99}, 99, 7),
        ({7: 1, 0: 199}, 99, 0),
        ({1: 1, 2: 1, 3: 1}, 50, 2),
    ],
)
def test_percentile_of_counts_is_that_of_the_single_values(
    counts: dict[int, int], n: int, value: int | None
) -> None:
    """A histogram has the same percentile as the list of its values."""
    assert percentile_of_counts(counts, n) == value
    listed = sorted(each for each, count in counts.items() for _ in range(count))
    assert percentile(listed, n) == value


def test_result_has_the_keys_of_the_contract_in_order(
    make_settings: Callable[..., Settings],
) -> None:
    """The map has exactly these keys, in this order."""
    assert list(make_result(make_settings(), REPORT, PEAKS, 1.0)) == KEYS


def test_result_follows_the_formulas(make_settings: Callable[..., Settings]) -> None:
    """Each derived number follows the contract."""
    result = make_result(make_settings(), REPORT, PEAKS, 2.25)
    assert result["vt"] is True
    assert result["turns-total"] == 4 * 2
    assert result["nominal-turn-ms"] == 10 + 3 * 5
    assert result["latency-infl"] == 75.0 / (2 * 25)
    assert result["cpu-ms/turn"] == 16 / 8
    assert result["peak-rss-mb"] == 40.0
    assert result["rss-kb/sess"] == 40960 / 4
    assert result["base-rss-mb"] == 20.0
    assert (result["peak-threads"], result["peak-fds"]) == (9, 12)
    assert result["throttled-ms"] == 2.2
    assert (result["p50-session-ms"], result["p99-session-ms"]) == (75.0, 80.0)
    assert (result["deltas"], result["mock-lag-p99-ms"]) == (24, 1)
    assert result["procs"] == 1


def test_result_uses_the_kernel_peak_when_the_samples_missed_it(
    make_settings: Callable[..., Settings],
) -> None:
    """The worker reads its own peak after the last sample."""
    result = make_result(make_settings(), REPORT, replace(PEAKS, rss_kb=1), None)
    assert result["peak-rss-mb"] == 30.0
    assert result["throttled-ms"] is None


def test_result_has_none_for_absent_numbers(make_settings: Callable[..., Settings]) -> None:
    """Without a session that ended well there is no latency and no CPU per turn."""
    nothing: dict[int, int] = {}
    failed = replace(
        REPORT, ok=0, errors=4, latencies_ms=array("d"), lags=nothing, err_sample="E: x"
    )
    result = make_result(make_settings(), failed, PEAKS, None)
    assert result["turns-total"] == 0
    absent = ("p50-session-ms", "p99-session-ms", "latency-infl", "cpu-ms/turn", "mock-lag-p99-ms")
    assert [result[key] for key in absent] == [None] * 5
    assert result["deltas"] == 0


def test_result_has_no_inflation_of_a_turn_of_0_ms(
    make_settings: Callable[..., Settings],
) -> None:
    """The inflation of a nominal turn of 0 ms is undefined."""
    result = make_result(make_settings(ttft_ms=0, tokens=0), REPORT, PEAKS, None)
    assert result["latency-infl"] is None


def test_result_has_no_latency_under_the_virtual_clock(
    make_settings: Callable[..., Settings],
) -> None:
    """Virtual time measures nothing; CPU and threads are measured as usual."""
    result = make_result(make_settings(clock="virtual"), REPORT, PEAKS, None)
    assert list(result) == KEYS
    timed = ("wall-ms", "p50-session-ms", "p99-session-ms", "latency-infl", "mock-lag-p99-ms")
    assert [result[key] for key in timed] == [None] * 5
    assert (result["ok"], result["cpu-sec"], result["peak-threads"]) == (4, 0.016, 9)
