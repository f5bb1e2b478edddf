"""Sessions that resume from a checkpoint."""

from pathlib import Path

import pytest

from escapement import (
    Chart,
    Checkpoint,
    CheckpointError,
    Event,
    FileBackedStore,
    MemoryStore,
    SessionError,
    arun,
    run,
)
from escapement.testing import ScriptedLLM, call, run_jumping
from tests.unit.escapement.scenes import rows, turns


def chart(name: str = "turns") -> Chart:
    """Return a chart of three turns, where `note` counts as a turn too."""
    return turns(3, name=name, also=("note",))


def test_session_resumes_after_a_crash(tmp_path: Path) -> None:
    """The same call resumes from the last checkpoint, under another pump too."""
    transcript = tmp_path / "t.jsonl"
    crashing = ScriptedLLM([call("continue"), call("continue"), OSError("crash")])
    with pytest.raises(SessionError, match="crash"):
        run(
            chart(),
            session_id="s",
            llm=crashing,
            store=FileBackedStore(tmp_path),
            transcript=transcript,
        )
    llm = ScriptedLLM([call("continue")])
    session = arun(
        chart(),
        session_id="s",
        llm=llm,
        store=FileBackedStore(tmp_path),
        transcript=transcript,
        data={"turns": 99},
    )
    result = run_jumping(session)
    assert (result.status, result.data) == ("done", {"turns": 3})
    assert [request.messages[0].content for request in llm.requests] == ["turn 2"]
    written = rows(transcript)
    assert [(row["seq"], row["resumed"]) for row in written if row["type"] == "session-start"] == [
        (0, False),
        (0, True),
    ]


def test_finished_session_stays_finished(tmp_path: Path) -> None:
    """Running a finished session again returns the same result without a request."""
    store = FileBackedStore(tmp_path)
    first = run(chart(), session_id="s", llm=ScriptedLLM([call("continue")] * 3), store=store)
    llm = ScriptedLLM([])
    assert run(chart(), session_id="s", llm=llm, store=store) == first
    assert llm.requests == []


def test_pending_events_are_handled_before_conversations_start(tmp_path: Path) -> None:
    """Pending events are handled before the first request."""
    store = FileBackedStore(tmp_path)
    pending = (Event("continue", {}), Event("note", {}))
    store.save("s", Checkpoint("turns", ("turn",), {"turns": 0}, pending))
    llm = ScriptedLLM([call("continue")])
    result = run(chart(), session_id="s", llm=llm, store=store)
    assert (result.status, result.data) == ("done", {"turns": 3})
    # `continue` entered the state again, which started its conversation; `note` did not.
    assert [request.messages[0].content for request in llm.requests] == ["turn 1"]


def test_pending_event_may_finish_the_session() -> None:
    """A session finished by its pending events makes no request."""
    store, llm = MemoryStore(), ScriptedLLM([])
    pending = (Event("continue"), Event("never"))
    store.save("s", Checkpoint("turns", ("turn",), {"turns": 2}, pending))
    result = run(chart(), session_id="s", llm=llm, store=store)
    assert (result.status, llm.requests) == ("done", [])


def test_record_of_another_chart_is_rejected(tmp_path: Path) -> None:
    """A session cannot resume in another chart; the error names the file."""
    store = FileBackedStore(tmp_path)
    run(chart(), session_id="s", llm=ScriptedLLM([call("continue")] * 3), store=store)
    with pytest.raises(CheckpointError, match=r"s\.json: session 's' was in chart 'turns'"):
        run(chart("other"), session_id="s", llm=ScriptedLLM([]), store=store)


@pytest.mark.parametrize("configuration", [("gone",), (), ("turn", "decide")])
def test_record_of_removed_states_is_rejected(configuration: tuple[str, ...]) -> None:
    """A configuration that the chart does not have is an error."""
    store = MemoryStore()
    store.save("s", Checkpoint("turns", configuration, {"turns": 0}))
    with pytest.raises(CheckpointError, match=r"the store: session 's' was in chart 'turns'"):
        run(chart(), session_id="s", llm=ScriptedLLM([]), store=store)


def test_data_that_cannot_be_stored_fails_the_session(tmp_path: Path) -> None:
    """The error for data that cannot be stored names the key."""
    store = FileBackedStore(tmp_path)
    with pytest.raises(CheckpointError, match="data key 'odd'"):
        run(chart(), session_id="s", llm=ScriptedLLM([]), store=store, data={"odd": object()})


@pytest.mark.parametrize(
    ("data", "shown"),
    [("lost", "lost"), ({"message": "lost"}, "lost"), ({"at": 1}, r"\{'at': 1\}")],
)
def test_unhandled_error_from_a_stored_queue_has_no_cause(data: object, shown: str) -> None:
    """A stored error event fails the session, with its stored message."""
    store = MemoryStore()
    pending = (Event("error.communication", data),)
    store.save("s", Checkpoint("turns", ("turn",), {"turns": 0}, pending))
    match = rf"state turn: {shown} \(no transition handles error.communication\)"
    with pytest.raises(SessionError, match=match) as raised:
        run(chart(), session_id="s", llm=ScriptedLLM([]), store=store)
    assert raised.value.__cause__ is None
