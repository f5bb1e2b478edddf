"""The probe with several workers: one RESULT and one end for all."""

import os
import signal
from pathlib import Path

import pytest

from tests.integration.probe_runs import Start, end, is_gone, read_until, workers_of


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
@pytest.mark.parametrize("arm", ["sc-ckpt", "sc-mem", "hand"])
def test_shards_make_one_result(start: Start, tmp_path: Path, arm: str, virtual: str) -> None:
    """Sessions, tokens, memory and CPU are sums over both workers; no file remains."""
    ended = end(start(f"{arm} 5 2 5 3 2 0 4", SCALE_VT=virtual, SCALE_PROCS="2"))
    assert ended.code == 0, ended.stderr
    assert list(ended.maps) == ["CAPS", "PROGRESS", "RESULT"]
    result = ended.result
    assert (result["procs"], result["C"], result["vt"]) == (2, 5, virtual == "1")
    assert (result["ok"], result["errors"], result["err-sample"]) == (5, 0, None)
    assert (result["turns-total"], result["deltas"], result["state-kb"]) == (10, 30, 4)
    assert result["wall-ms"] >= result["p99-session-ms"] >= result["p50-session-ms"] >= 22 * 0.9
    assert result["peak-rss-mb"] >= result["base-rss-mb"] > 0
    assert result["cpu-sec"] > 0
    last = ended.maps["PROGRESS"][-1]
    assert (last["done"], last["errors"], last["C"], last["deltas"]) == (5, 0, 5, 30)
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_shards_hold_more_than_one_worker_does(start: Start) -> None:
    """Memory, threads and descriptors are sums over simultaneous workers."""
    one = end(start("hand 4 1 300 1 1")).result
    three = end(start("hand 4 1 300 1 1", SCALE_PROCS="3")).result
    assert three["base-rss-mb"] > 2.5 * one["base-rss-mb"]
    assert three["peak-rss-mb"] > 2.5 * one["peak-rss-mb"]
    assert (one["peak-threads"], three["peak-threads"]) == (1, 3)
    assert three["peak-fds"] > 2 * one["peak-fds"]


@pytest.mark.slow
def test_shards_report_more_than_a_pipe_holds(start: Start) -> None:
    """A report of thousands of latencies arrives whole."""
    result = end(start("hand 20000 1 0 0 0", SCALE_PROCS="2")).result
    assert result["ok"] == 20000
    assert result["wall-ms"] >= result["p99-session-ms"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("shard", [0, 1])
def test_shards_end_when_one_is_killed(start: Start, tmp_path: Path, shard: int) -> None:
    """The OUTCOME names the killed worker, 137 stays 137, and the others are gone."""
    process = start("hand 5 1 60000 1 1", SCALE_PROCS="2")
    read_until(process, "PROGRESS")
    workers = workers_of(process)
    os.kill(workers[shard], signal.SIGKILL)
    ended = end(process)
    assert ended.code == 137
    assert "RESULT" not in ended.maps
    outcome = ended.outcome
    assert (outcome["cause"], outcome["exit-code"], outcome["signal"]) == ("signal", 137, 9)
    assert (outcome["evidence"]["shard"], outcome["evidence"]["procs"]) == (shard, 2)
    assert [is_gone(pid) for pid in workers] == [True, True]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_shards_all_end_when_the_probe_is_stopped(
    start: Start, tmp_path: Path, number: int, code: int
) -> None:
    """A stop ends every worker and removes the scratch folder."""
    process = start("hand 5 1 60000 1 1", SCALE_PROCS="3")
    read_until(process, "PROGRESS")
    workers = workers_of(process)
    process.send_signal(number)
    assert end(process).code == code
    assert [is_gone(pid) for pid in workers] == [True, True, True]
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_shards_keep_the_exit_code_and_the_stderr_of_a_worker_that_exits(start: Start) -> None:
    """A worker that exits ends the others, which would run for ever."""
    ended = end(start("sc-mem 2 2 1 1 1", "exits-in-one-shard", SCALE_PROCS="2"))
    assert ended.code == 5
    assert (ended.outcome["cause"], ended.outcome["exit-code"]) == ("exit", 5)
    assert ended.outcome["evidence"]["shard"] == 1
    assert ended.outcome["stderr-tail"] == ["last words"]


@pytest.mark.slow
def test_shards_do_not_wait_for_one_that_cannot_start(start: Start) -> None:
    """A worker that dies before the common start ends the waiting ones."""
    ended = end(start("sc-mem 2 2 1 1 1", "does-not-start-in-one-shard", SCALE_PROCS="2"))
    assert ended.code == 1
    assert ended.outcome["evidence"]["shard"] == 1
    assert ended.outcome["stderr-tail"][-1] == "RuntimeError: no start"


@pytest.mark.slow
def test_shards_count_sessions_that_fail(start: Start) -> None:
    """The RESULT counts failed sessions of any worker; the OUTCOME names the shard."""
    ended = end(start("sc-mem 4 2 1 1 1", "fails", SCALE_PROCS="2"))
    assert ended.code == 0
    assert (ended.result["ok"], ended.result["errors"]) == (3, 1)
    assert ended.result["err-sample"] == "ValueError: no luck"
    assert ended.outcome["cause"] == "errors"
    assert ended.outcome["evidence"]["shard"] == 1
    assert ended.outcome["evidence"]["sessions-done"] == 4
