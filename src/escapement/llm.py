"""The requests to and replies of a language model, and the protocols of backends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool by the model; `event__NAME` raises the chart's event NAME."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; an assistant message may hold a tool call."""

    role: Literal["user", "assistant", "tool"]
    content: str
    tool_call: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """The input of one turn of the model; the last message is the one to answer."""

    session_id: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LLMReply:
    """The output of one turn of the model: text and, to raise an event, a tool call."""

    text: str
    tool_call: ToolCall | None = None


class LLMBackend(Protocol):
    """A connection to a language model; several threads call it at once."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Block until the turn has ended, and return the whole reply.

        Args:
            request: The turn.
            on_delta: Must be called with each piece of text when it arrives. It raises an
                exception when the turn is abandoned; do not catch that exception.
        """
        ...


@runtime_checkable
class AsyncLLMBackend(LLMBackend, Protocol):
    """A backend that can also be awaited; virtual workers require one."""

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Suspend until the turn has ended, and return the whole reply.

        Runs on the session's event loop. An abandoned turn is cancelled; do not catch the
        `CancelledError`.

        Args:
            request: The turn.
            on_delta: Must be called on the loop, as for `stream`.
        """
        ...
