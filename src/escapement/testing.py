"""For tests of charts: a language model that says what it was told to, and a loop that never waits."""

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from escapement.llm import LLMReply, LLMRequest, ToolCall

Returned = TypeVar("Returned")


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
        self._lock = threading.Lock()

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

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Give the next reply after the loop has had its turn.

        Raises:
            LookupError: There is none left.
        """
        await asyncio.sleep(0)
        return self.stream(request, on_delta)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    What runs on it takes the same steps in the same order each time, and hours pass in a moment. It
    holds for tasks alone: a thread would work while no time passes.

    Raises:
        RuntimeError: Nothing is scheduled, so the loop would wait for ever; or an executor is asked
            for.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the loop's own time in seconds."""
        return self._now_s

    def jump(self, by_s: float) -> None:
        """Let time pass."""
        self._now_s += by_s

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:  # noqa: ANN401, ARG002  as the base has it
        """Refuse."""
        message = "a loop that jumps waits for no executor"
        raise RuntimeError(message)


class _JumpingSelector(selectors.DefaultSelector):
    """Has the loop's clock jump by as much as the loop would wait."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now, and jump if that is nothing."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                message = "nothing is scheduled: the loop would wait for ever"
                raise RuntimeError(message)
            self._loop.jump(timeout)
        return ready


def run_jumping(main: Coroutine[Any, Any, Returned]) -> Returned:
    """Run a coroutine to its end on a loop whose clock jumps, as `asyncio.run` does on a real one."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
