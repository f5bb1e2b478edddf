"""The threads of a session: how many, and what becomes of them."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from escapement import LLMReply, LLMRequest, MemoryStore, SessionError, SessionResult, arun
from escapement.testing import call
from tests.unit.escapement.scenes import PATIENCE_S, TURNS, Mode, drive, endless, on_threads, rows


class Gate:
    """A backend whose every stream waits at a gate, between its first token and its last."""

    def __init__(self, streams: int = 1) -> None:
        self.arrived = threading.Barrier(streams + 1, timeout=PATIENCE_S)
        self.opened = threading.Event()
        self.held: set[threading.Thread] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Wait at the gate, then continue."""
        self.held.add(threading.current_thread())
        on_delta(request.session_id)
        if not self.opened.is_set():
            self.arrived.wait()
            assert self.opened.wait(PATIENCE_S)
        on_delta("last")
        return call("continue")

    def open(self) -> None:
        """Let all streams go on."""
        self.opened.set()

    def release(self) -> None:
        """Let all streams go on, and wait for the end of the threads that held them."""
        self.open()
        for thread in self.held:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_session_has_two_threads(tmp_path: Path) -> None:
    """A session has a transcript writer and a conversation worker, however many turns it takes."""
    gate = Gate(streams=10)
    before = threading.active_count()
    peak = 0

    async def main() -> list[SessionResult]:
        nonlocal peak
        sessions = asyncio.gather(
            *(
                arun(
                    TURNS,
                    session_id=f"s{n}",
                    llm=gate,
                    store=MemoryStore(),
                    transcript=tmp_path / f"{n}.jsonl",
                )
                for n in range(10)
            )
        )
        await asyncio.sleep(0)  # all sessions start in the loop's next turn
        gate.arrived.wait()
        peak = threading.active_count() - before
        gate.open()
        return await sessions

    assert {result.status for result in asyncio.run(main())} == {"done"}
    assert peak == 20
    assert len(gate.held) == 10


class Watcher:
    """A backend that notes, at every turn, which threads there are that were not before it."""

    def __init__(self) -> None:
        self.before = {thread.name for thread in threading.enumerate()}
        self.seen: set[str] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Note the threads' names, then continue."""
        on_delta(request.session_id)
        self.seen.update({thread.name for thread in threading.enumerate()} - self.before)
        return call("continue")


def test_blocking_session_opens_no_loop_and_has_two_threads(tmp_path: Path) -> None:
    """Under `run` too, a session is the calling thread and two more."""
    watcher = Watcher()
    drive("run", TURNS, watcher, transcript=tmp_path / "t.jsonl")
    assert watcher.seen == {"s:transcript", "s:conversation"}


def test_session_without_a_transcript_has_one_thread() -> None:
    """No writer is started when there is nothing to write to."""
    watcher = Watcher()
    drive("run", TURNS, watcher)
    assert watcher.seen == {"s:conversation"}


@on_threads
@pytest.mark.parametrize("allowed", [0, 1])
def test_thread_that_can_not_be_started_fails_the_session(
    mode: Mode, allowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When threads run out the session fails with the system's words, and leaves no thread."""
    start = threading.Thread.start
    left = [allowed]

    def limited(thread: threading.Thread) -> None:
        left[0] -= 1
        if left[0] < 0:
            message = "can't start new thread"
            raise RuntimeError(message)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(SessionError, match="can't start new thread") as raised:
        drive(mode, TURNS, endless(), transcript=tmp_path / "t.jsonl")
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_cancelled_session_releases_its_workers(tmp_path: Path) -> None:
    """Cancelling `arun` writes the transcript out, and unwinds the stream at its next token."""
    gate = Gate()

    async def main() -> None:
        session = asyncio.ensure_future(
            arun(
                TURNS,
                session_id="s",
                llm=gate,
                store=MemoryStore(),
                transcript=tmp_path / "t.jsonl",
            )
        )
        await asyncio.sleep(0)
        gate.arrived.wait()
        session.cancel()
        with pytest.raises(asyncio.CancelledError):
            await session

    asyncio.run(main())
    gate.release()
    assert rows(tmp_path / "t.jsonl")[-1]["error"] == "CancelledError()"
