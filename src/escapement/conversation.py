"""A conversation with a language model: its script, and its life from state entry to state exit."""

from collections.abc import Callable, Generator, Mapping
from typing import Any

from escapement.event import Event, failure
from escapement.llm import LLMBackend, LLMReply, LLMRequest, Message
from escapement.microstep import Data
from escapement.node import Node

# Yields requests, and is sent their replies; yields events, and is sent whether the chart
# accepted them; returns the event that the conversation ends with.
Script = Generator[LLMRequest | Event, Any, Event]
Record = Callable[..., None]  # (row type, **fields): a row for the transcript


class Abandoned(BaseException):
    """Unwinds a stream that nobody waits for any more.

    Not an Exception, for the reason that `asyncio.CancelledError` isn't: a backend that retries on
    `except Exception` must not take the end of its session for a fault of the network.
    """


def hold(node: Node, session_id: str, data: Data) -> Script:
    """Script the conversation of a state; it does no I/O and knows no thread.

    Args:
        node: A state that has a conversation.
        session_id: Goes into the requests.
        data: The session's data as it was when the state was entered.

    Returns:
        The script, whose last event is `done.invoke.ID` or an error event.

    Source: SCXML 6.4, `<invoke>`; `error.communication` is 5.10.2.
    """
    conversation = node.conversation
    assert conversation is not None  # noqa: S101  for the type checker alone
    try:
        messages: tuple[Message, ...] = (Message("user", conversation.prompt(data)),)
    except Exception as error:  # noqa: BLE001  whatever a prompt raises is the chart's to handle
        return failure("error.execution", error)
    tools = tuple(node.tools)
    while True:
        try:
            reply: LLMReply = yield LLMRequest(session_id, conversation.system, messages, tools)
            event = _event(reply, node.tools)
        except BaseException as error:  # noqa: BLE001  an exit in a backend must not end the worker
            return failure("error.communication", error)
        if event is None:
            return Event(f"done.invoke.{conversation.id}", {"text": reply.text})
        accepted: bool = yield event
        result = f"{event.name}: {'handled' if accepted else 'ignored, nothing takes it now'}"
        messages = (
            *messages,
            Message("assistant", reply.text, reply.tool_call),
            Message("tool", result, reply.tool_call),
        )


def _event(reply: LLMReply, tools: Mapping[str, str]) -> Event | None:
    call = reply.tool_call
    if call is None:
        return None
    if call.name not in tools:
        message = f"tool {call.name!r} was not offered; there are: {', '.join(tools) or 'none'}"
        raise LookupError(message)
    return Event(tools[call.name], dict(call.arguments))


class Dialogue:
    """A conversation under way: its script, and whether anybody still waits for it."""

    __slots__ = ("_llm", "_record", "_script", "abandoned", "node", "over")

    def __init__(self, node: Node, script: Script, llm: LLMBackend, record: Record) -> None:
        self.node = node
        self.abandoned = False  # set by the session, read by the worker
        self.over = False
        self._script = script
        self._llm = llm
        self._record = record

    def advance(self, accepted: bool | None) -> Event | None:  # noqa: FBT001  sent to the script
        """Go on to the next event, blocking while the model streams.

        Args:
            accepted: Whether the chart took the last event; none to begin.

        Returns:
            The event to post, or none if the conversation was abandoned.
        """
        try:
            turn = self._script.send(accepted)
            while isinstance(turn, LLMRequest):
                turn = self._take(turn)
        except StopIteration as end:
            self.over = True
            event: Event = end.value
            return event
        except Abandoned:
            return None
        return turn

    def on_delta(self, _text: str) -> None:
        """Stop an abandoned stream; runs for every token, so it does nothing else.

        The reply holds the whole text: gathering the pieces here would do the work twice.
        """
        if self.abandoned:
            raise Abandoned

    def _take(self, request: LLMRequest) -> LLMRequest | Event:
        name = self.node.id
        self._record(
            "request",
            state=name,
            messages=len(request.messages),
            content=request.messages[-1].content,
        )
        try:
            reply = self._llm.stream(request, self.on_delta)
            call = reply.tool_call
            shown = None if call is None else {"name": call.name, "arguments": call.arguments}
            self._record("reply", state=name, text=reply.text, tool_call=shown)
        except Abandoned:
            self._record("abandoned", state=name)
            raise
        except BaseException as error:  # noqa: BLE001  the script turns it into an event
            return self._script.throw(error)
        return self._script.send(reply)
