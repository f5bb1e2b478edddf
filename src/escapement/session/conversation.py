"""A conversation with a language model, from state entry to state exit; it knows no thread and no task."""

from collections.abc import Mapping
from typing import Protocol

from escapement.event import Event, failure
from escapement.llm import LLMReply, LLMRequest, Message, ToolCall
from escapement.machine.macrostep import Data
from escapement.machine.node import Node


class Recorder(Protocol):
    """Takes rows for a transcript."""

    def record(self, kind: str, **fields: object) -> None:
        """Take a row: its type, and its other fields."""
        ...


class Abandoned(BaseException):
    """Unwinds a stream that nobody waits for any more.

    Not an Exception, for the reason that `asyncio.CancelledError` isn't: a backend that retries on
    `except Exception` must not take the end of its session for a fault of the network.
    """


class PromptError(Exception):
    """A prompt could not be made; its cause says why."""


class Interruptible(Protocol):
    """What takes a turn of a conversation, and may be able to stop at once."""

    def interrupt(self) -> None:
        """Stop what is under way, where that can be done; it is safe to ask at any time."""
        ...


class Dialogue:
    """A conversation under way: what was said, and whether anybody still waits for it.

    It goes round: `speak` makes a request, `hear` turns the reply into an event for the chart, and
    when the state is still active after that, `speak` goes on with what became of the event.

    Args:
        node: The state that it belongs to, which has a conversation.
        session_id: Goes into the requests.
        data: The session's data as it was when the state was entered.
        recorder: Takes rows for the transcript.

    Attributes:
        node: The state.
        abandoned: Nobody waits for it any more.
        accepted: The chart has taken the last event.
        over: It has ended; the event that was posted last is `done.invoke.ID` or an error.
        moved: A token has come since this was last cleared.
        holder: What takes its turn right now; none between two turns.
    """

    __slots__ = (
        "_data",
        "_messages",
        "_recorder",
        "_reply",
        "_session_id",
        "abandoned",
        "accepted",
        "holder",
        "moved",
        "node",
        "over",
    )

    def __init__(self, node: Node, session_id: str, data: Data, recorder: Recorder) -> None:
        self.node = node
        self.abandoned = False  # set by the session, read by the worker
        self.accepted = False
        self.over = False
        self.moved = False
        self.holder: Interruptible | None = None
        self._session_id = session_id
        self._data = data
        self._messages: tuple[Message, ...] = ()
        self._reply: LLMReply | None = None  # the last one, whose event was posted
        self._recorder = recorder

    def speak(self) -> LLMRequest:
        """Make the next request.

        Raises:
            Abandoned: Nobody waits for it any more.
            PromptError: The chart can't say what to ask.

        Source: SCXML 6.4, `<invoke>`.
        """
        if self.abandoned:
            raise Abandoned
        node = self.node
        conversation = node.conversation
        assert conversation is not None  # noqa: S101  for the type checker alone
        if self._reply is not None:
            self._messages += _exchange(self._reply, accepted=self.accepted)
        else:
            try:
                self._messages = (Message("user", conversation.prompt(self._data)),)
            except Exception as error:
                raise PromptError from error
        messages = self._messages
        self._recorder.record(
            "request", state=node.id, messages=len(messages), content=messages[-1].content
        )
        return LLMRequest(self._session_id, conversation.system, messages, tuple(node.tools))

    def hear(self, reply: LLMReply) -> Event | None:
        """Turn the reply to the last request into an event to post.

        Source: SCXML 6.4.3, `done.invoke.ID`.
        """
        node = self.node
        try:
            call = reply.tool_call
            shown = None if call is None else {"name": call.name, "arguments": call.arguments}
            self._recorder.record("reply", state=node.id, text=reply.text, tool_call=shown)
            if call is not None:
                event = _event(call, node.tools)
                self._reply = reply
                return event
        except Exception as error:  # noqa: BLE001  whatever a backend returns must not end the worker
            return self.fail(error)
        self.over = True
        assert node.conversation is not None  # noqa: S101  for the type checker alone
        return Event(f"done.invoke.{node.conversation.id}", {"text": reply.text})

    def fail(self, error: BaseException) -> Event | None:
        """Turn what a turn has raised into an event to post; none if the conversation was abandoned.

        Source: SCXML 5.10.2, `error.execution` and `error.communication`.
        """
        if isinstance(error, Abandoned):
            self._recorder.record("abandoned", state=self.node.id)
            return None
        self.over = True
        if isinstance(error, PromptError):
            return failure("error.execution", error.__cause__ or error)
        return failure("error.communication", error)

    def abandon(self) -> None:
        """Have the turn under way end: at once if it can be interrupted, else at its next token."""
        self.abandoned = True
        if self.holder is not None:
            self.holder.interrupt()

    def on_delta(self, _text: str) -> None:
        """Note that the stream moves, or stop it; runs for every token, so it does nothing else.

        The reply holds the whole text: gathering the pieces here would do the work twice.
        """
        if self.abandoned:
            raise Abandoned
        self.moved = True


def _event(call: ToolCall, tools: Mapping[str, str]) -> Event:
    if call.name not in tools:
        message = f"tool {call.name!r} was not offered; there are: {', '.join(tools) or 'none'}"
        raise LookupError(message)
    return Event(tools[call.name], dict(call.arguments))


def _exchange(reply: LLMReply, *, accepted: bool) -> tuple[Message, Message]:
    """Return what the model said, and what became of it."""
    call = reply.tool_call
    name = "" if call is None else call.name.removeprefix("event__")
    result = f"{name}: {'handled' if accepted else 'ignored, nothing takes it now'}"
    return Message("assistant", reply.text, call), Message("tool", result, call)
