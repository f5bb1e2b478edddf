"""Whole sessions in every mode."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from escapement import (
    Chart,
    Conversation,
    FileBackedStore,
    MemoryStore,
    SessionError,
    SessionResult,
    State,
    Transition,
    arun,
)
from escapement.testing import ScriptedLLM, call
from tests.unit.escapement.scenes import TURNS, Mode, drive, endless, every_mode, rows


@every_mode
@pytest.mark.parametrize("poll_ms", [0, 1])
def test_session_runs_to_its_final_state(mode: Mode, poll_ms: int, tmp_path: Path) -> None:
    """Each turn is one event, and the last one ends the session."""
    llm = endless()
    transcript = tmp_path / "t.jsonl"
    result = drive(
        mode, TURNS, llm, store=FileBackedStore(tmp_path), transcript=transcript, poll_ms=poll_ms
    )
    assert result == SessionResult("s", "done", ("end",), {"turns": 6})
    prompts = [request.messages[0].content for request in llm.requests]
    assert prompts == [f"turn {n}" for n in range(6)]
    written = rows(transcript)
    assert [row["seq"] for row in written] == list(range(len(written)))
    assert [row["type"] for row in written] == [
        "session-start",
        "begin",
        *["request", "reply", "event"] * 6,
        "session-end",
    ]
    assert written[1]["trail"] == ["+turn"]
    assert [row["trail"] for row in written if row["type"] == "event"] == [
        *[["-turn", "+decide", "-decide", "+turn"]] * 5,
        ["-turn", "+decide", "-decide", "+end"],
    ]
    assert written[-1] == {
        "seq": len(written) - 1,
        "type": "session-end",
        "status": "done",
        "error": None,
    }


@every_mode
def test_data_overrides_the_charts(mode: Mode) -> None:
    """The session's data overrides the chart's, and neither is changed."""
    own = {"turns": 5, "extra": 1}
    assert drive(mode, TURNS, endless(), data=own).data == {"turns": 6, "extra": 1}
    assert (own["turns"], TURNS.data) == (5, {"turns": 0})


@every_mode
def test_caller_may_change_the_data_of_a_result(mode: Mode) -> None:
    """Changing the data of a result does not change the checkpoint."""
    store = MemoryStore()
    result = drive(mode, TURNS, endless(), store=store)
    cast("dict[str, object]", result.data)["turns"] = 0
    record = store.load("s")
    assert record is not None
    assert record.data["turns"] == 6


@every_mode
def test_negative_poll_is_rejected(mode: Mode) -> None:
    """A poll interval below zero is an error."""
    with pytest.raises(ValueError, match=r"poll_ms is -1"):
        drive(mode, TURNS, endless(), poll_ms=-1)


@every_mode
def test_transcript_of_a_failed_session_ends_with_the_error(mode: Mode, tmp_path: Path) -> None:
    """The last row holds the status and the error."""
    transcript = tmp_path / "t.jsonl"
    with pytest.raises(SessionError, match="boom"):
        drive(mode, TURNS, ScriptedLLM([OSError("boom")]), transcript=transcript)
    last = rows(transcript)[-1]
    assert (last["type"], last["status"]) == ("session-end", "failed")
    assert "boom" in last["error"]


@every_mode
def test_event_without_a_stable_end_is_in_the_transcript(mode: Mode, tmp_path: Path) -> None:
    """A chart that never becomes stable fails, and the event's row has no trail."""
    talk = Conversation("talk", lambda _: "", events=("go",))
    lost = (
        State("ask", conversation=talk, transitions=(Transition("go", "here"),)),
        State("here", transitions=(Transition(None, "there"),)),
        State("there", transitions=(Transition(None, "here"),)),
    )
    transcript = tmp_path / "t.jsonl"
    with pytest.raises(SessionError, match="not stable after"):
        drive(mode, Chart("lost", "ask", lost), ScriptedLLM([call("go")]), transcript=transcript)
    (event,) = (row for row in rows(transcript) if row["type"] == "event")
    assert (event["name"], event["trail"]) == ("go", None)


@every_mode
def test_transcript_that_cannot_be_written_is_ignored(mode: Mode, tmp_path: Path) -> None:
    """A session continues without its transcript."""
    result = drive(mode, TURNS, endless(), transcript=tmp_path / "missing" / "t.jsonl")
    assert result.status == "done"


def test_many_sessions_share_a_loop(tmp_path: Path) -> None:
    """Sessions on one loop do not affect each other."""
    llm, store = endless(), FileBackedStore(tmp_path)

    async def main() -> list[SessionResult]:
        sessions = (
            arun(
                TURNS,
                session_id=f"s{n}",
                llm=llm,
                store=store,
                transcript=tmp_path / f"{n}.jsonl",
                data={"own": n},
            )
            for n in range(50)
        )
        return await asyncio.gather(*sessions)

    results = asyncio.run(main())
    assert [result.session_id for result in results] == [f"s{n}" for n in range(50)]
    assert [result.data for result in results] == [{"turns": 6, "own": n} for n in range(50)]
    for n in range(50):
        written = rows(tmp_path / f"{n}.jsonl")
        assert [row["seq"] for row in written] == list(range(len(written)))
