"""Cancelling a session from outside, between two events."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from escapement import CancelToken, FileBackedStore, LLMReply, LLMRequest, MemoryStore, arun, run
from escapement.testing import ScriptedLLM, call, run_jumping
from tests.unit.escapement.scenes import TURNS, Mode, drive, endless, every_mode, rows


class Canceller(ScriptedLLM):
    """A backend that cancels the session in its third turn."""

    def __init__(self, token: CancelToken) -> None:
        super().__init__([call("continue")] * 6)
        self.token = token

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Cancel in the third turn, then reply."""
        if len(self.requests) == 2:
            self.token.cancel()
        return super().stream(request, on_delta)


@every_mode
def test_cancelled_session_is_aborted_and_can_be_resumed(mode: Mode, tmp_path: Path) -> None:
    """Handled events stay, and the current turn is requested again."""
    token, transcript = CancelToken(), tmp_path / "t.jsonl"
    store = FileBackedStore(tmp_path)
    llm = Canceller(token)
    result = drive(mode, TURNS, llm, store, cancel=token, transcript=transcript)
    assert (result.status, result.configuration) == ("aborted", ("turn",))
    assert result.data["turns"] in {2, 3}  # the reply may arrive before or after the cancellation
    last = rows(transcript)[-1]
    assert (last["type"], last["status"]) == ("session-end", "aborted")
    again = endless()
    assert drive(mode, TURNS, again, store).data == {"turns": 6}
    asked = [request.messages[0].content for request in again.requests]
    kept = result.data["turns"]
    assert asked[-3:] == ["turn 3", "turn 4", "turn 5"]
    assert len(asked) in {6 - int(str(kept)), 5 - int(str(kept))}  # an event may have been pending


@every_mode
def test_session_cancelled_before_its_start_makes_no_request(mode: Mode) -> None:
    """The initial state is entered and saved, and no conversation starts."""
    token, store, llm = CancelToken(), MemoryStore(), endless()
    token.cancel()
    assert drive(mode, TURNS, llm, store, cancel=token).status == "aborted"
    assert llm.requests == []
    assert drive(mode, TURNS, llm, store).status == "done"


def test_waiting_session_is_cancelled_at_once() -> None:
    """A session on a loop ends in the middle of a stream."""
    token = CancelToken()

    async def main() -> str:
        class Slow(ScriptedLLM):
            async def astream(
                self, request: LLMRequest, on_delta: Callable[[str], None]
            ) -> LLMReply:
                await asyncio.sleep(1000)
                return self.stream(request, on_delta)

        loop = asyncio.get_running_loop()
        loop.call_later(10, token.cancel)
        result = await arun(
            TURNS,
            session_id="s",
            llm=Slow([]),
            store=MemoryStore(),
            cancel=token,
            wedged_after_s=1e6,
        )
        assert loop.time() == pytest.approx(10)
        assert len(asyncio.all_tasks()) == 1
        return result.status

    assert run_jumping(main()) == "aborted"
    token.cancel()  # the ended session has removed its listener


def test_blocking_session_is_cancelled_from_another_thread() -> None:
    """`run` returns while its backend is busy; the backend ends at its next token."""
    token = CancelToken()
    streaming, released, ended = threading.Event(), threading.Event(), threading.Event()

    class Held:
        def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            streaming.set()
            assert released.wait(20)
            try:
                on_delta(request.session_id)
            finally:
                holder.append(threading.current_thread())
                ended.set()
            return call("continue")

    def cancel() -> None:
        assert streaming.wait(20)
        token.cancel()

    holder: list[threading.Thread] = []
    canceller = threading.Thread(target=cancel)
    canceller.start()
    result = run(TURNS, session_id="s", llm=Held(), store=MemoryStore(), cancel=token)
    canceller.join()
    assert result.status == "aborted"
    released.set()
    assert ended.wait(20)
    holder[0].join()
