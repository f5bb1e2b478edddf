"""Conversations, alone and in whole sessions."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from escapement import (
    Chart,
    Conversation,
    Event,
    Final,
    LLMReply,
    LLMRequest,
    MemoryStore,
    Message,
    SessionError,
    SessionResult,
    State,
    ToolCall,
    Transition,
    run,
)
from escapement.compiler.compiler import compile_chart
from escapement.machine.macrostep import Data
from escapement.session.conversation import AbandonedError, Dialogue
from escapement.testing import ScriptedLLM, call


def keep(_data: Data, event: Event) -> Data:
    """Store an event's name and data."""
    return {"name": event.name, "event": event.data}


def ask(*transitions: Transition, prompt: Callable[[Data], str] = lambda _: "hello") -> Chart:
    """Return a chart that converses until one of these transitions leads to `end`."""
    talk = Conversation("talk", prompt, system="be brief", events=("go", "stay"))
    states = (State("ask", transitions=transitions, conversation=talk), Final("end"))
    return Chart("ask", "ask", states, {"who": "me"})


def converse(chart: Chart, *replies: LLMReply | str | BaseException) -> SessionResult:
    """Run a chart with these replies."""
    return run(chart, session_id="s", llm=ScriptedLLM(replies), store=MemoryStore())


def test_request_carries_prompt_system_and_tools() -> None:
    """The first request is the state's prompt, with a tool for each event."""
    llm = ScriptedLLM([call("go")])
    chart = ask(Transition("go", "end"), prompt=lambda data: f"hello {data['who']}")
    run(chart, session_id="s", llm=llm, store=MemoryStore())
    assert llm.requests == [
        LLMRequest("s", "be brief", (Message("user", "hello me"),), ("event__go", "event__stay"))
    ]


def test_tool_call_becomes_an_event_with_its_arguments() -> None:
    """`event__NAME` raises NAME, and the arguments are its data."""
    result = converse(ask(Transition("go", "end", actions=(keep,))), call("go", x=1))
    assert result.data == {"who": "me", "name": "go", "event": {"x": 1}}


@pytest.mark.parametrize(
    ("transition", "result"),
    [(Transition("stay", actions=(keep,)), "handled"), (Transition("other"), "ignored")],
)
def test_conversation_continues_while_its_state_is_active(
    transition: Transition, result: str
) -> None:
    """The result of an event that does not leave the state is the next message."""
    llm = ScriptedLLM([LLMReply("well", ToolCall("event__stay")), call("go")])
    chart = ask(Transition("go", "end"), transition)
    assert run(chart, session_id="s", llm=llm, store=MemoryStore()).status == "done"
    prompt, answer, answered = llm.requests[1].messages
    assert prompt == Message("user", "hello")
    assert answer == Message("assistant", "well", ToolCall("event__stay"))
    assert (answered.role, answered.tool_call) == ("tool", ToolCall("event__stay"))
    assert answered.content.startswith(f"stay: {result}")


def test_reply_without_a_tool_call_ends_the_conversation() -> None:
    """A reply without a tool call is the result (SCXML 6.4.3, `done.invoke.ID`)."""
    result = converse(ask(Transition("done.invoke.talk", "end", actions=(keep,))), "all done")
    assert result.data["event"] == {"text": "all done"}


def test_session_without_a_further_event_is_idle() -> None:
    """A session that no event can reach ends, although its chart is not final."""
    result = converse(ask(), "all done")
    assert (result.status, result.configuration) == ("idle", ("ask",))


def test_failing_backend_is_an_error_event() -> None:
    """An error of the backend becomes `error.communication` (SCXML 5.10.2)."""
    chart = ask(Transition("error.communication", "end", actions=(keep,)))
    result = converse(chart, OSError("connection lost"))
    assert result.data["event"] == {"type": "OSError", "message": "OSError: connection lost"}


@pytest.mark.parametrize(
    "error", [OSError("connection lost"), KeyError("x"), SystemExit(3)], ids=repr
)
def test_unhandled_backend_failure_ends_the_session(error: BaseException) -> None:
    """An unhandled error fails the session, with its message and cause."""
    with pytest.raises(SessionError, match=r"session 's', state ask: ") as raised:
        converse(ask(), error)
    assert str(error) in str(raised.value)
    assert "no transition handles error.communication" in str(raised.value)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (call("launch"), r"tool 'event__launch' was not offered; .*: event__go, event__stay"),
        (LLMReply("", ToolCall("go")), r"tool 'go' was not offered"),
    ],
)
def test_tool_that_was_not_offered_is_an_error(reply: LLMReply, message: str) -> None:
    """A call of a tool that was not offered is an error of the backend."""
    with pytest.raises(SessionError, match=message):
        converse(ask(), reply)


class Broken:
    """A backend that returns a wrong type."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> Any:  # noqa: ANN401, ARG002
        """Return a text instead of a reply."""
        return "no reply"


def test_reply_of_a_wrong_type_is_an_error() -> None:
    """A reply of a wrong type fails the session instead of hanging it."""
    with pytest.raises(SessionError, match=r"AttributeError: 'str' object has no attribute"):
        run(ask(), session_id="s", llm=Broken(), store=MemoryStore())


def test_prompt_that_raises_is_an_error_of_execution() -> None:
    """A conversation whose prompt raises does not start (SCXML 6.4.1)."""
    chart = ask(Transition("error.execution", "end"), prompt=lambda data: str(data["nobody"]))
    assert converse(chart).status == "done"


def test_scripted_llm_without_replies_raises() -> None:
    """The error for a missing scripted reply names the request."""
    with pytest.raises(SessionError, match=r"no reply is left for request 1"):
        converse(ask())


class RowKinds(list[str]):
    """A transcript that lists the kinds of its rows."""

    def record(self, kind: str, **fields: object) -> None:
        """Append the kind of a row."""
        del fields
        self.append(kind)


def make_dialogue(rows: RowKinds | None = None) -> Dialogue:
    """Return a conversation without a worker."""
    return Dialogue(
        compile_chart(ask()).nodes["ask"], "s", {}, RowKinds() if rows is None else rows
    )


def test_conversation_runs_without_a_worker() -> None:
    """A conversation makes requests, and converts replies into events."""
    dialogue = make_dialogue()
    assert len(dialogue.make_request().messages) == 1
    assert dialogue.handle_reply(call("go")) == Event("go", {})
    dialogue.was_accepted = True
    assert [message.role for message in dialogue.make_request().messages] == [
        "user",
        "assistant",
        "tool",
    ]
    assert not dialogue.is_over
    assert dialogue.handle_reply(LLMReply("bye")) == Event("done.invoke.talk", {"text": "bye"})
    assert dialogue.is_over


def test_abandoned_conversation_makes_no_request() -> None:
    """A conversation abandoned before its turn makes no request."""
    rows = RowKinds()
    dialogue = make_dialogue(rows)
    dialogue.abandon()
    with pytest.raises(AbandonedError):
        dialogue.make_request()
    assert rows == []


def test_abandoned_stream_unwinds_at_the_next_token() -> None:
    """An exception out of `on_delta` ends the stream of an abandoned conversation."""
    rows = RowKinds()
    dialogue = make_dialogue(rows)
    dialogue.on_delta("first")
    assert dialogue.has_progressed
    dialogue.abandon()
    with (
        pytest.raises(AbandonedError) as raised,
        suppress(Exception),
    ):  # as in a backend that retries
        dialogue.on_delta("second")
    assert dialogue.handle_error(raised.value) is None
    assert rows == ["abandoned"]
