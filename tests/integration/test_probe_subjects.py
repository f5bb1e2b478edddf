"""The probe with runtimes that misbehave."""

import pytest

from tests.integration.probe_runs import Start, end, read_until


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
def test_probe_keeps_the_prints_of_a_subject_out_of_the_protocol(
    start: Start, virtual: str
) -> None:
    """The prints of a subject go to stderr; standard output holds only the protocol."""
    ended = end(start("sc-mem 2 2 1 1 1", "prints", SCALE_VT=virtual))
    assert ended.result["ok"] == 2
    assert "not ours" not in ended.stdout
    assert ended.stderr.count("RESULT {not ours}") == 2
    assert ended.result["subject"]["version"] == "9"
    assert ended.result["workers"] is None


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
def test_probe_counts_sessions_that_fail(start: Start, virtual: str) -> None:
    """A run with failed sessions has a RESULT, an OUTCOME and exit code 0."""
    ended = end(start("sc-mem 3 2 1 1 1", "fails", SCALE_VT=virtual))
    assert ended.code == 0
    assert (ended.result["ok"], ended.result["errors"]) == (2, 1)
    assert ended.result["err-sample"] == "ValueError: no luck"
    assert ended.result["turns-total"] == 4
    assert ended.outcome["cause"] == "errors"
    assert (ended.outcome["exit-code"], ended.outcome["signal"]) == (0, None)
    assert ended.outcome["evidence"]["sessions-done"] == 3


@pytest.mark.slow
def test_probe_counts_an_unfinished_session_as_failed(start: Start) -> None:
    """A session that returns early has failed; its numbers are absent."""
    ended = end(start("sc-mem 1 2 1 1 1", "stops-early"))
    sample = "UnfinishedError: session-000000 ended as 'idle' after 1 turns"
    assert ended.result["err-sample"] == sample
    assert ended.result["latency-infl"] is None
    assert ended.result["cpu-ms/turn"] is None


@pytest.mark.slow
def test_probe_keeps_the_exit_code_and_the_stderr_of_its_worker(start: Start) -> None:
    """A worker that exits yields an OUTCOME with its exit code and its stderr."""
    ended = end(start("sc-mem 1 2 1 1 1", "exits"))
    assert ended.code == 5
    assert (ended.outcome["cause"], ended.outcome["exit-code"]) == ("exit", 5)
    assert ended.outcome["stderr-tail"] == ["last words"]
    assert "last words" in ended.stderr


@pytest.mark.slow
def test_probe_can_stop_a_subject_that_hangs(start: Start) -> None:
    """A signal stops the probe even if a session blocks the event loop for ever."""
    process = start("sc-mem 1 2 1 1 1", "hangs")
    read_until(process, "PROGRESS")
    process.terminate()
    assert end(process).code == 143


@pytest.mark.slow
def test_probe_ends_with_its_last_session(start: Start) -> None:
    """Threads that a subject leaves behind do not keep the cell open."""
    assert end(start("sc-mem 2 2 1 1 1", "leaks")).result["ok"] == 2
