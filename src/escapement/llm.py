"""What is exchanged with a language model, and the protocol of a backend that reaches one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called; `event__NAME` stands for the chart's event NAME."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; an assistant's may carry a tool call."""

    role: Literal["user", "assistant", "tool"]
    content: str
    tool_call: ToolCall | None = None


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """All that a backend needs for one turn; the last message is the one to answer."""

    session_id: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LLMReply:
    """A whole turn of the model: its text and, if it wants an event raised, a tool call."""

    text: str
    tool_call: ToolCall | None = None


class LLMBackend(Protocol):
    """Reaches a language model; it is called from many threads at once."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Block until the turn is over, and return all of it.

        Args:
            request: The turn to take.
            on_delta: To be called with every piece of text as it arrives. It raises when nobody
                waits for the turn any more; let what it raises pass.
        """
        ...


@runtime_checkable
class AsyncLLMBackend(LLMBackend, Protocol):
    """A backend that can also be awaited; virtual workers need one."""

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Suspend until the turn is over, and return all of it; it is called on the session's loop.

        Args:
            request: The turn to take.
            on_delta: To be called on the loop with every piece of text as it arrives, as for
                `stream`. When nobody waits for the turn any more the call is cancelled; let the
                `CancelledError` pass.
        """
        ...
