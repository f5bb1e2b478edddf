"""Tools for tests of charts: a scripted model, and a loop without waits."""

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from escapement.llm import LLMReply, LLMRequest, ToolCall

Returned = TypeVar("Returned")


def call(event: str, /, **arguments: object) -> LLMReply:
    """Return a reply that raises one of the chart's events."""
    return LLMReply("", ToolCall(f"event__{event}", arguments))


class ScriptedLLM:
    """A backend that returns given replies in order; sessions may share it.

    Args:
        replies: A whole reply, its text alone, or an exception to raise, for each request. May
            be endless.

    Attributes:
        requests: The requests so far.
    """

    def __init__(self, replies: Iterable[LLMReply | str | BaseException]) -> None:
        self.requests: list[LLMRequest] = []
        self._replies = iter(replies)
        self._lock = threading.Lock()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Stream the next reply word by word, without delay.

        Raises:
            LookupError: No reply is left.
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
        """Stream the next reply in the next iteration of the loop.

        Raises:
            LookupError: No reply is left.
        """
        await asyncio.sleep(0)
        return self.stream(request, on_delta)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it.

    Tasks on it run deterministically, and hours pass in a moment. Threads do not work with it:
    no time passes while they run.

    Raises:
        RuntimeError: Nothing is scheduled, so the loop would wait forever; or a task uses an
            executor.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the loop's own time in seconds."""
        return self._now_s

    def jump(self, by_s: float) -> None:
        """Advance the clock."""
        self._now_s += by_s

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:  # noqa: ANN401, ARG002  as the base has it
        """Raise: executors are not supported."""
        message = "JumpingLoop has no executor; use tasks instead of threads"
        raise RuntimeError(message)


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that advances the loop's clock instead of waiting."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready files; without any, advance the clock by the timeout."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                message = "nothing is scheduled: the loop would wait forever"
                raise RuntimeError(message)
            self._loop.jump(timeout)
        return ready


def run_jumping(main: Coroutine[Any, Any, Returned]) -> Returned:
    """Run a coroutine like `asyncio.run`, on a loop whose clock jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
