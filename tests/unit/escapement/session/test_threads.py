"""Platform workers: the threads of a session, and their ends."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from escapement import LLMReply, LLMRequest, MemoryStore, SessionError, SessionResult, arun
from escapement.testing import call
from tests.unit.escapement.scenes import TIMEOUT_S, TURNS, Mode, drive, endless, on_threads, rows


class Gate:
    """A backend whose streams wait at a gate between first and last token."""

    def __init__(self, streams: int = 1) -> None:
        self.arrived = threading.Barrier(streams + 1, timeout=TIMEOUT_S)
        self.opened = threading.Event()
        self.held: set[threading.Thread] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Wait at the gate, then reply `continue`."""
        self.held.add(threading.current_thread())
        on_delta(request.session_id)
        if not self.opened.is_set():
            self.arrived.wait()
            assert self.opened.wait(TIMEOUT_S)
        on_delta("last")
        return call("continue")

    def open(self) -> None:
        """Let all streams continue."""
        self.opened.set()

    def release(self) -> None:
        """Let all streams continue, and wait until their threads end."""
        self.open()
        for thread in self.held:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive()


def test_session_has_two_threads(tmp_path: Path) -> None:
    """A session is a writer and a conversation worker, for any number of turns."""
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


class ThreadRecorder:
    """A backend that records the names of new threads at every turn."""

    def __init__(self) -> None:
        self.before = {thread.name for thread in threading.enumerate()}
        self.seen: set[str] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Record the names of the threads, then reply `continue`."""
        on_delta(request.session_id)
        self.seen.update({thread.name for thread in threading.enumerate()} - self.before)
        return call("continue")


def test_blocking_session_opens_no_loop_and_has_two_threads(tmp_path: Path) -> None:
    """Under `run`, a session is the calling thread and two more."""
    recorder = ThreadRecorder()
    drive("run", TURNS, recorder, transcript=tmp_path / "t.jsonl")
    assert recorder.seen == {"s:transcript", "s:conversation"}


def test_session_without_a_transcript_has_one_thread() -> None:
    """Without a transcript, no writer is started."""
    recorder = ThreadRecorder()
    drive("run", TURNS, recorder)
    assert recorder.seen == {"s:conversation"}


@on_threads
@pytest.mark.parametrize("allowed", [0, 1])
def test_thread_that_cannot_be_started_fails_the_session(
    mode: Mode, allowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session fails with the system's message, and leaves no thread."""
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


def test_cancelled_session_ends_its_workers(tmp_path: Path) -> None:
    """A cancelled `arun` writes the transcript, and ends the stream."""
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
