"""A session without progress fails after a limit instead of hanging."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from escapement import LLMReply, LLMRequest, MemoryStore, SessionError, arun, run
from escapement.testing import call, run_jumping
from tests.unit.escapement.scenes import TURNS, Mode, drive, endless, every_mode


class Halting:
    """A backend that streams a word after each pause, then hangs."""

    def __init__(self, *pauses_s: float) -> None:
        self.pauses_s = pauses_s

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Fail: these tests do not block."""
        raise AssertionError(request, on_delta)

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Stream words, then hang in the first turn only."""
        for pause_s in self.pauses_s:
            await asyncio.sleep(pause_s)
            on_delta("word")
        if request.messages[0].content == "turn 0":
            await asyncio.sleep(1e9)
        return call("continue")


@pytest.mark.parametrize("poll_ms", [0, 100])
def test_backend_that_hangs_wedges_its_session(poll_ms: int) -> None:
    """The session fails between 1 and 1.25 times the limit after the last token."""

    async def main() -> float:
        session = arun(
            TURNS,
            session_id="s",
            llm=Halting(30, 30),
            store=MemoryStore(),
            poll_ms=poll_ms,
            wedged_after_s=40,
        )
        match = r"session 's' is wedged: for 40 s neither an event nor a token .* state 'turn'"
        with pytest.raises(SessionError, match=match):
            await session
        assert len(asyncio.all_tasks()) == 1
        return asyncio.get_running_loop().time()

    assert 60 + 40 <= run_jumping(main()) <= 60 + 50 + 1


def test_slow_backend_does_not_wedge_its_session() -> None:
    """A stream may last for hours; only a silence is a wedge."""

    async def main() -> float:
        llm = Halting(*[39.0] * 200)
        with pytest.raises(SessionError, match="wedged"):
            await arun(TURNS, session_id="s", llm=llm, store=MemoryStore(), wedged_after_s=40)
        return asyncio.get_running_loop().time()

    assert 200 * 39 + 40 <= run_jumping(main()) <= 200 * 39 + 50


@every_mode
def test_invalid_limit_is_rejected(mode: Mode) -> None:
    """A limit of zero, below zero or NaN is an error."""
    for limit in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="wedged_after_s is"):
            drive(mode, TURNS, endless(), wedged_after_s=limit)


def test_blocking_session_is_wedged_too() -> None:
    """`run` raises while its backend hangs; the thread ends at the next token."""
    release = threading.Event()
    held: list[threading.Thread] = []

    class Hanging:
        def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            held.append(threading.current_thread())
            assert release.wait(20)
            on_delta(request.session_id)
            return call("continue")

    with pytest.raises(SessionError, match="wedged"):
        run(TURNS, session_id="s", llm=Hanging(), store=MemoryStore(), wedged_after_s=0.5)
    release.set()
    held[0].join()
