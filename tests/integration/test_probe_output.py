"""The probe's output for small loads and for invalid arguments."""

import json
from pathlib import Path

import pytest

from tests.integration.probe_runs import ROOT, Start, end


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
@pytest.mark.parametrize("arm", ["sc-ckpt", "sc-mem", "hand"])
def test_probe_runs_every_arm_in_both_modes(
    start: Start, tmp_path: Path, arm: str, virtual: str
) -> None:
    """The probe prints CAPS, PROGRESS and RESULT, and leaves no file behind."""
    ended = end(start(f"{arm} 5 2 5 3 2 0 4", SCALE_VT=virtual))
    assert ended.code == 0, ended.stderr
    assert list(ended.maps) == ["CAPS", "PROGRESS", "RESULT"]
    result = ended.result
    assert (result["arm"], result["C"], result["vt"]) == (arm, 5, virtual == "1")
    assert (result["ok"], result["errors"], result["err-sample"]) == (5, 0, None)
    assert (result["turns-total"], result["deltas"], result["state-kb"]) == (10, 30, 4)
    assert result["p99-session-ms"] >= result["p50-session-ms"] >= 2 * 11 * 0.9
    assert result["subject"]["path"] == str(ROOT / "src" / "escapement")
    assert len(result["subject"]["hash"]) == 64
    assert result["peak-rss-mb"] >= result["base-rss-mb"] > 0
    assert result["cpu-ms/turn"] > 0
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_probe_runs_under_the_virtual_clock(start: Start) -> None:
    """Minutes of sessions pass in a moment; no latency is reported."""
    ended = end(start("sc-mem 20 2 100000 3 1000", SCALE_CLOCK="virtual"))
    assert ended.code == 0, ended.stderr
    assert (ended.result["ok"], ended.result["deltas"]) == (20, 120)
    assert ended.result["workers"] == "virtual"
    assert ended.result["latency-infl"] is None
    assert ended.maps["PROGRESS"][-1]["done"] == 20


@pytest.mark.slow
def test_probe_keeps_the_files_in_a_given_scratch_folder(start: Start, tmp_path: Path) -> None:
    """The caller clears a given folder; the folder for temporary files stays empty."""
    given = tmp_path / "given"
    given.mkdir()
    ended = end(start("sc-mem 5 2 5 3 2", SCALE_SCRATCH=str(given)))
    assert ended.code == 0, ended.stderr
    assert len(list(given.rglob("*.jsonl"))) == 5
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.slow
def test_probe_prints_the_result_again_for_people(start: Start) -> None:
    """The second copy is the same map, sorted, one key per line."""
    ended = end(start("hand 3 1 1 1 1"))
    pretty = ended.stdout[ended.stdout.index("\n{\n") + 1 :]
    assert json.loads(pretty) == ended.result
    keys = [line.split('"')[1] for line in pretty.splitlines()[1:-1]]
    assert keys == sorted(ended.result)


@pytest.mark.slow
def test_probe_progress_counts_sessions_and_tokens(start: Start) -> None:
    """The last PROGRESS of a finished run counts all sessions and tokens."""
    last = end(start("hand 3 1 1200 2 1")).maps["PROGRESS"][-1]
    assert set(last) == {
        *("t-ms", "done", "errors", "C", "threads", "rss-mb", "fds", "peak-threads"),
        *("peak-rss-mb", "peak-fds", "cpu-pct", "deltas"),
        *("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms"),
        "supervisor-cpu-ms",
    }
    assert (last["done"], last["errors"], last["C"], last["deltas"]) == (3, 0, 3, 6)
    assert last["peak-rss-mb"] > 0
    assert last["t-ms"] > last["host-ms"] > 1200
    assert last["host-cpus"] >= 1
    assert min(last["steal-ms"], last["others-cpu-ms"]) >= 0


@pytest.mark.parametrize(
    ("words", "environment", "named"),
    [
        ("other 3", {}, "sc-ckpt, sc-mem, hand"),
        ("hand 0", {}, "at least 1"),
        ("hand 3", {"SCALE_PROCS": "4"}, "SCALE_PROCS"),
        ("hand 3", {"SCALE_STAT_KB": "64"}, "SCALE_STATE_KB"),
        ("hand 3", {"SCALE_CLOCK": "lunar"}, "SCALE_CLOCK"),
    ],
)
@pytest.mark.slow
def test_probe_refuses_in_one_line(
    start: Start, words: str, environment: dict[str, str], named: str
) -> None:
    """A usage error exits 2, with one line on stderr and nothing on stdout."""
    ended = end(start(words, **environment))
    assert ended.code == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert named in ended.stderr


@pytest.mark.slow
def test_probe_prints_its_usage(start: Start) -> None:
    """--help prints the usage and exits 0, whatever the other arguments."""
    ended = end(start("other --help"))
    assert ended.code == 0
    assert ended.stdout.startswith("usage: python -m harness.probe ARM C [TURNS")
