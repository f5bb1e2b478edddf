"""The counted process of exact costs, run in this process."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from escapement import LLMRequest
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Settings
from harness.probe.virtual_clock import VirtualClockError
from harness.probe.worker.counting import held_at_s, main

Count = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Count]:
    """Provide a function that returns exit code and COUNT; restore the process."""
    monkeypatch.setenv("SCALE_SCRATCH", str(tmp_path))
    thresholds = gc.get_threshold()

    def run(words: str) -> tuple[int, dict[str, Any]]:
        code = main(words.split())
        line = capsys.readouterr().out
        return code, json.loads(line.removeprefix("COUNT ")) if line else {}

    yield run
    tracemalloc.stop()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.parametrize("arm", ["hand", "sc-mem", "sc-ckpt"])
def test_counting_runs_every_session_to_its_end(arm: str, count: Count) -> None:
    """A COUNT holds the load, the ends of the sessions, and the runtime."""
    code, body = count(f"{arm} 3 2 100000 3 1000")
    assert code == 0
    assert (body["schema"], body["arm"], body["C"]) == (1, arm, 3)
    assert (body["ok"], body["errors"], body["turns-total"]) == (3, 0, 6)
    assert len(body["subject"]["hash"]) == 64
    assert (body["alive"], body["traced-bytes"], body["allocated-blocks"]) == (None, None, None)


def test_counting_measures_the_memory_of_all_sessions(count: Count) -> None:
    """The memory in the middle of the last turn includes each session's payload."""
    _, small = count("--memory sc-mem 20 2 100 3 10")
    tracemalloc.stop()
    _, large = count("--memory sc-mem 20 2 100 3 10 0 4")
    assert (small["alive"], large["alive"]) == (20, 20)
    assert large["traced-bytes"] - small["traced-bytes"] == pytest.approx(20 * 4096, rel=0.1)
    assert small["allocated-blocks"] > 20


def test_counting_refuses_what_cannot_be_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Threads are a usage error."""
    monkeypatch.setenv("SCALE_VT", "0")
    assert main(["hand", "1"]) == 2
    assert capsys.readouterr().err == (
        "harness.probe.counting: SCALE_VT is '0'; allowed with SCALE_CLOCK=virtual: 1\n"
    )


def test_counting_reports_a_refusal_of_the_clock(
    count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that needs a thread ends the count with one clear reason."""

    async def in_an_executor(*_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(None, print)

    monkeypatch.setattr(MockLLM, "astream", in_an_executor)
    code, body = count("hand 1 1 1 1 1")
    assert code == 1
    reason = "print is to run in an executor, which the virtual clock does not allow"
    assert body == {"schema": 1, "refused": reason}


def test_counting_creates_a_temporary_folder_by_default(
    count: Count, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Use by hand needs no setting."""
    monkeypatch.delenv("SCALE_SCRATCH")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert count("sc-mem 1 1 1 1 1")[1]["ok"] == 1
    assert [folder.name[:6] for folder in tmp_path.iterdir()] == ["count-"]


def test_counting_measures_memory_between_two_tokens(
    make_settings: Callable[..., Settings],
) -> None:
    """The instant is the middle of the last answer, just before a tick."""
    settings = make_settings(turns=6, ttft_ms=200, tokens=50, tok_ms=5)
    assert held_at_s(settings) == pytest.approx(5 * 0.450 + 0.200 + 0.125 - 0.0005)


def test_mock_does_not_block_under_the_virtual_clock(
    make_settings: Callable[..., Settings], deliveries: Deliveries
) -> None:
    """A sleeping thread would wait while no time passes."""
    llm = MockLLM(make_settings(clock="virtual"), deliveries)
    with pytest.raises(VirtualClockError, match="session 's' blocks for its answer"):
        llm.stream(LLMRequest("s", "", (), ()), print)
    assert llm.workers_seen is None
