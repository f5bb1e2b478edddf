"""Marginal costs, and the levels at which they exhaust the box."""

import pytest

from harness.analysis.comparison import compare
from harness.analysis.slopes import find_box_limits
from harness.model.nouns import Caps, Load, Side
from tests.builders.model import change_run, make_run, make_side, ok_cell

CELLS = [
    ok_cell(
        side,
        level,
        peak_threads=8 + per_session * level,
        peak_rss_mb=30 + per_session * level * 50 / 1024,
        peak_fds=20 + per_session * level,
        cpu_ms_per_turn=per_session * 0.5,
    )
    for side, per_session in ((Side.BASE, 2), (Side.BRANCH, 0))
    for level in (500, 1000, 2000)
]


def test_box_limits_are_reached_where_the_lines_end() -> None:
    """Memory, open files, pids and CPU have limits; a flat line reaches none."""
    run = make_run(levels=(500, 1000, 2000), caps=Caps(pids=4096))
    limits = find_box_limits(run, compare(run, CELLS, complete=True).lines)
    assert {limit.metric: limit.cap for limit in limits} == {
        "peak-threads": "4,096 pids",
        "cpu-ms/turn": "1 CPU",
        "peak-rss-mb": "2 GiB",
        "peak-fds": "20,000 open files",
    }
    assert all(set(limit.reached) == {Side.BASE} for limit in limits)
    threads = next(limit.reached[Side.BASE] for limit in limits if limit.metric == "peak-threads")
    assert (threads.low, threads.value, threads.high) == pytest.approx((2044, 2044, 2044))


def test_box_limits_depend_on_the_worker_processes_of_a_side() -> None:
    """Each process has its own open files; without pacing CPU has no limit."""
    sides = (make_side(environment={"SCALE_PROCS": "2"}), make_side(Side.BRANCH))
    load = Load(ttft_ms=0, tok_ms=0)
    run = change_run(make_run(levels=(500, 1000, 2000)), sides=sides, load=load)
    limits = find_box_limits(run, compare(run, CELLS, complete=True).lines)
    caps = {limit.metric: limit.cap for limit in limits}
    assert caps["peak-fds"] == "40,000 open files and 20,000 open files"
    assert (caps["cpu-ms/turn"], caps["peak-threads"]) == ("", "")
