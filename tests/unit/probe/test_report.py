"""The reports of workers, as lines and merged."""

from array import array
from dataclasses import replace

import pytest

from harness.probe.report import Report
from harness.probe.supervisor.shards import merge

REPORT = Report(
    ok=2,
    errors=0,
    err_sample=None,
    wall_ms=61.04,
    latencies_ms=array("d", [80.1, 60.0]),
    cpu_s=0.25,
    lags={0: 23, 1: 1},
    base_rss_kb=20480,
    peak_rss_kb=30720,
    workers="platform",
    python="3.11.7",
    subject={"path": "/x", "version": "1", "hash": "00"},
)
OTHER = replace(
    REPORT,
    ok=1,
    errors=2,
    err_sample="ValueError: second",
    wall_ms=70.5,
    latencies_ms=array("d", [70.0]),
    cpu_s=0.5,
    lags={1: 4, 9: 2},
    base_rss_kb=1000,
    peak_rss_kb=40000,
)


def test_report_survives_its_line() -> None:
    """The supervisor reads exactly what the worker wrote."""
    assert Report.from_line(REPORT.to_line()) == REPORT


def test_report_of_many_sessions_is_short() -> None:
    """A latency takes 11 characters."""
    many = replace(REPORT, latencies_ms=array("d", [1 / 3]) * 128_000)
    line = many.to_line()
    assert len(line) < 128_000 * 11
    assert Report.from_line(line) == many


def test_report_that_was_cut_short_is_none() -> None:
    """A worker that died while writing has no report."""
    assert Report.from_line(REPORT.to_line()[:-1]) is None
    assert Report.from_line(b"") is None


def test_merge_of_one_report_is_that_report() -> None:
    """The report of a single shard stays as it is."""
    assert merge([REPORT]) == REPORT


def test_merge_measures_all_sessions_together() -> None:
    """Counts, CPU and memory are summed; latencies and lags are pooled."""
    assert merge([REPORT, OTHER]) == Report(
        ok=3,
        errors=2,
        err_sample="ValueError: second",
        wall_ms=70.5,
        latencies_ms=array("d", [80.1, 60.0, 70.0]),
        cpu_s=0.75,
        lags={0: 23, 1: 5, 9: 2},
        base_rss_kb=21480,
        peak_rss_kb=40000,
        workers="platform",
        python="3.11.7",
        subject={"path": "/x", "version": "1", "hash": "00"},
    )


def test_merge_keeps_the_error_of_the_first_shard() -> None:
    """The order is by number of the shard, not by time, so it is always the same."""
    first = replace(OTHER, err_sample="ValueError: first")
    assert merge([REPORT, first, OTHER]).err_sample == "ValueError: first"


@pytest.mark.parametrize(
    ("seen", "workers"),
    [
        (["virtual", "virtual"], "virtual"),
        (["virtual", "platform"], "mixed"),
        (["mixed", "mixed"], "mixed"),
        ([None, "virtual"], "virtual"),
        ([None, None], None),
    ],
)
def test_merge_keeps_the_kind_of_workers_that_all_shards_report(
    seen: list[str | None], workers: str | None
) -> None:
    """Different kinds are `mixed`; a shard without streams does not count."""
    assert merge([replace(REPORT, workers=each) for each in seen]).workers == workers


def test_merge_knows_no_sum_without_a_part() -> None:
    """A sum with an unknown part is unknown."""
    unknown = replace(OTHER, base_rss_kb=None, peak_rss_kb=None)
    assert merge([REPORT, unknown]).base_rss_kb is None
    assert merge([REPORT, unknown]).peak_rss_kb == 30720
    assert merge([unknown]).peak_rss_kb is None
