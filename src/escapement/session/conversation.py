"""A running conversation with a language model; independent of threads and tasks."""

from collections.abc import Mapping
from typing import Protocol

from escapement.event import Event, make_error_event
from escapement.llm import LLMReply, LLMRequest, Message, ToolCall
from escapement.machine.macrostep import Data
from escapement.machine.node import Node


class Recorder(Protocol):
    """A receiver of transcript rows."""

    def record(self, kind: str, **fields: object) -> None:
        """Add a row: its type and its other fields."""
        ...


class AbandonedError(BaseException):
    """Unwinds the stream of an abandoned conversation.

    Not an Exception, like `asyncio.CancelledError`: a backend that retries on `except Exception`
    must not take it for a network error.
    """


class PromptError(Exception):
    """A prompt cannot be made; the cause is the error."""


class Interruptible(Protocol):
    """A worker that takes a turn of a conversation."""

    def interrupt(self) -> None:
        """Stop the current turn if possible; safe to call at any time."""
        ...


class Dialogue:
    """A running conversation: its messages, and whether the session still waits for it.

    `make_request` returns a request, and `handle_reply` converts the reply into an event. If the
    state is still active after that event, `make_request` continues with the event's result.

    Args:
        node: The state that the conversation belongs to.
        session_id: The session, for the requests.
        data: The session's data when the state was entered.
        recorder: Receives transcript rows.

    Attributes:
        node: The state.
        is_abandoned: The session does not wait for it any more.
        was_accepted: The chart has handled the last event.
        is_over: The last event posted is `done.invoke.ID` or an error.
        has_progressed: A token arrived since this was last cleared.
        worker: Takes the current turn; None between two turns.
    """

    __slots__ = (
        "_data",
        "_messages",
        "_recorder",
        "_reply",
        "_session_id",
        "has_progressed",
        "is_abandoned",
        "is_over",
        "node",
        "was_accepted",
        "worker",
    )

    def __init__(self, node: Node, session_id: str, data: Data, recorder: Recorder) -> None:
        self.node = node
        self.is_abandoned = False  # set by the session, read by the worker
        self.was_accepted = False
        self.is_over = False
        self.has_progressed = False
        self.worker: Interruptible | None = None
        self._session_id = session_id
        self._data = data
        self._messages: tuple[Message, ...] = ()
        self._reply: LLMReply | None = None  # the last one, whose event was posted
        self._recorder = recorder

    def make_request(self) -> LLMRequest:
        """Return the next request.

        Raises:
            AbandonedError: The conversation is abandoned.
            PromptError: The chart's prompt function failed.

        Source: SCXML 6.4, `<invoke>`.
        """
        if self.is_abandoned:
            raise AbandonedError
        node = self.node
        conversation = node.conversation
        assert conversation is not None  # noqa: S101  for the type checker alone
        if self._reply is not None:
            self._messages += _make_messages(self._reply, was_accepted=self.was_accepted)
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

    def handle_reply(self, reply: LLMReply) -> Event | None:
        """Convert the reply to the last request into an event.

        Source: SCXML 6.4.3, `done.invoke.ID`.
        """
        node = self.node
        try:
            call = reply.tool_call
            shown = None if call is None else {"name": call.name, "arguments": call.arguments}
            self._recorder.record("reply", state=node.id, text=reply.text, tool_call=shown)
            if call is not None:
                event = _make_event(call, node.tools)
                self._reply = reply
                return event
        except Exception as error:  # noqa: BLE001  a bad reply must not end the worker
            return self.handle_error(error)
        self.is_over = True
        assert node.conversation is not None  # noqa: S101  for the type checker alone
        return Event(f"done.invoke.{node.conversation.id}", {"text": reply.text})

    def handle_error(self, error: BaseException) -> Event | None:
        """Convert a turn's error into an event; None if it is abandoned.

        Source: SCXML 5.10.2, `error.execution` and `error.communication`.
        """
        if isinstance(error, AbandonedError):
            self._recorder.record("abandoned", state=self.node.id)
            return None
        self.is_over = True
        if isinstance(error, PromptError):
            return make_error_event("error.execution", error.__cause__ or error)
        return make_error_event("error.communication", error)

    def abandon(self) -> None:
        """End the current turn, at once or at its next token."""
        self.is_abandoned = True
        if self.worker is not None:
            self.worker.interrupt()

    def on_delta(self, _text: str) -> None:
        """Note progress, or stop the stream; called with every token.

        Does not collect the text: the reply holds all of it.
        """
        if self.is_abandoned:
            raise AbandonedError
        self.has_progressed = True


def _make_event(call: ToolCall, tools: Mapping[str, str]) -> Event:
    if call.name not in tools:
        message = f"tool {call.name!r} was not offered; there are: {', '.join(tools) or 'none'}"
        raise LookupError(message)
    return Event(tools[call.name], dict(call.arguments))


def _make_messages(reply: LLMReply, *, was_accepted: bool) -> tuple[Message, Message]:
    """Return the model's message, and the result of its tool call."""
    call = reply.tool_call
    name = "" if call is None else call.name.removeprefix("event__")
    result = f"{name}: {'handled' if was_accepted else 'ignored, no transition handles it now'}"
    return Message("assistant", reply.text, call), Message("tool", result, call)
