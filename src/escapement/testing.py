"""A language model for tests: it says what it was told to say, and remembers what it was asked."""

from collections.abc import Callable, Iterable
from threading import Lock

from escapement.llm import LLMReply, LLMRequest, ToolCall


def call(event: str, /, **arguments: object) -> LLMReply:
    """Make a reply that raises one of the chart's events."""
    return LLMReply("", ToolCall(f"event__{event}", arguments))


class ScriptedLLM:
    """Replies in order, word by word and without delay; sessions may share one.

    Args:
        replies: What to answer with: a whole reply, its text alone, or an exception to raise. May
            be endless.

    Attributes:
        requests: What it was asked, in order.
    """

    def __init__(self, replies: Iterable[LLMReply | str | BaseException]) -> None:
        self.requests: list[LLMRequest] = []
        self._replies = iter(replies)
        self._lock = Lock()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Give the next reply.

        Raises:
            LookupError: There is none left.
        """
        with self._lock:
            self.requests.append(request)
            reply = next(self._replies, None)
        if reply is None:
            message = f"no reply is left for request {len(self.requests)}"
            raise LookupError(message)
        if isinstance(reply, BaseException):
            raise reply
        whole = LLMReply(reply) if isinstance(reply, str) else reply
        for word in whole.text.split():
            on_delta(word)
        return whole
