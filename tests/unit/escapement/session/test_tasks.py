"""Virtual workers: the tasks of a session, and their ends."""

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from escapement import (
    LLMReply,
    LLMRequest,
    MemoryStore,
    SessionError,
    SessionResult,
    Transition,
    arun,
)
from escapement.testing import call, run_jumping
from tests.unit.escapement.scenes import TURNS, count, leaving, pair, rows, turns


class Paced:
    """A backend that replies after a pause, and records its requests."""

    def __init__(self, pause_s: float = 1.0) -> None:
        self.pause_s = pause_s
        self.asked: list[tuple[float, str, str]] = []
        self.cancelled: list[str] = []

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Fail: these tests do not block."""
        raise AssertionError(request, on_delta)

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Stream a word in the middle of the pause, then call the first tool."""
        now_s = asyncio.get_running_loop().time()
        self.asked.append((now_s, request.session_id, request.messages[0].content))
        pause_s = self.pause_of(request)
        try:
            await asyncio.sleep(pause_s / 2)
            on_delta("word")
            await asyncio.sleep(pause_s / 2)
        except asyncio.CancelledError:
            self.cancelled.append(request.system)
            raise
        return call(request.tools[0].removeprefix("event__"))

    def pause_of(self, request: LLMRequest) -> float:
        """Return the duration of a turn in seconds."""
        del request
        return self.pause_s


def test_session_on_a_loop_is_three_tasks_and_no_thread(tmp_path: Path) -> None:
    """A session is three tasks for any number of turns."""
    llm, threads = Paced(), threading.active_count()

    async def main() -> tuple[set[str], SessionResult]:
        others = asyncio.all_tasks()
        session = asyncio.create_task(
            arun(
                TURNS,
                session_id="s",
                llm=llm,
                store=MemoryStore(),
                transcript=tmp_path / "t.jsonl",
            ),
            name="s",
        )
        await asyncio.sleep(4.25)
        names = {task.get_name() for task in asyncio.all_tasks() - others}
        assert threading.active_count() == threads
        result = await session
        assert asyncio.all_tasks() == others
        return names, result

    names, result = run_jumping(main())
    assert names == {"s", "s:transcript", "s:conversation"}
    assert (result.status, len(llm.asked)) == ("done", 6)


def test_thousands_of_sessions_are_on_time() -> None:
    """On a jumping clock, 2,000 sessions of 6 turns of a minute each take 6 minutes."""
    llm, store = Paced(pause_s=60.0), MemoryStore()

    async def main() -> float:
        sessions = [arun(TURNS, session_id=f"s{n}", llm=llm, store=store) for n in range(2000)]
        assert {result.status for result in await asyncio.gather(*sessions)} == {"done"}
        return asyncio.get_running_loop().time()

    assert run_jumping(main()) == 6 * 60
    minutes = [at_s / 60 for at_s, _, _ in llm.asked]
    assert minutes == [minute for minute in range(6) for _ in range(2000)]


def test_reply_is_handled_at_once() -> None:
    """A session makes its next request before a simultaneous reply of another one."""
    order: list[str] = []

    class Log(Paced):
        async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            order.append(f"ask {request.session_id}")
            reply = await super().astream(request, on_delta)
            order.append(f"reply {request.session_id}")
            return reply

    async def main() -> None:
        chart, store, llm = turns(2), MemoryStore(), Log()
        await asyncio.gather(
            *(arun(chart, session_id=name, llm=llm, store=store) for name in ("a", "b"))
        )

    run_jumping(main())
    assert order == [
        "ask a",
        "ask b",
        "reply a",
        "ask a",
        "reply b",
        "ask b",
        "reply a",
        "reply b",
    ]


def test_polling_session_polls_at_its_interval() -> None:
    """An event waits for the next poll: 1 s, polled each 0.4 s, takes 1.2 s."""
    llm = Paced()

    async def main() -> None:
        await arun(TURNS, session_id="s", llm=llm, store=MemoryStore(), poll_ms=400)

    run_jumping(main())
    assert [round(at_s, 6) for at_s, _, _ in llm.asked] == [0.0, 1.2, 2.4, 3.6, 4.8, 6.0]


class Uneven(Paced):
    """A backend whose inner conversation does not end."""

    def pause_of(self, request: LLMRequest) -> float:
        """Return a long pause for the inner conversation."""
        return 1e9 if request.system == "inner" else self.pause_s


def test_conversation_left_during_its_stream_is_cancelled_at_once(tmp_path: Path) -> None:
    """Its backend is cancelled, the session continues, and no task is left."""
    llm = Uneven()

    async def main() -> SessionResult:
        result = await arun(
            leaving(),
            session_id="s",
            llm=llm,
            store=MemoryStore(),
            transcript=tmp_path / "t.jsonl",
        )
        assert asyncio.get_running_loop().time() == 2.0
        assert len(asyncio.all_tasks()) == 1
        return result

    assert run_jumping(main()).status == "done"
    assert llm.cancelled == ["inner"]
    assert "abandoned" in [row["type"] for row in rows(tmp_path / "t.jsonl")]


class Late(Uneven):
    """A backend whose inner stream ends at the moment when it is abandoned."""

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """End the inner stream at the same time as the outer one."""
        if request.system != "inner":
            return await super().astream(request, on_delta)
        await asyncio.sleep(self.pause_s)
        return LLMReply("too late")


def test_reply_at_the_moment_of_leaving_is_dropped() -> None:
    """A reply that is not handled when its state is left posts no event."""
    result = run_jumping(arun(leaving(), session_id="s", llm=Late(), store=MemoryStore()))
    assert result.status == "done"


def test_surplus_task_is_closed() -> None:
    """One of two workers ends with the second conversation."""
    most: list[int] = []

    class Counter(Paced):
        async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            reply = await super().astream(request, on_delta)
            names = [task.get_name() for task in asyncio.all_tasks()]
            most.append(names.count("s:conversation"))
            return reply

    chart = pair(
        Transition("o", "end", guard=lambda data, _: data["turns"] == 3),
        Transition("o", actions=(count,)),
        inner=(Transition("i", "rest"),),
    )
    assert run_jumping(arun(chart, session_id="s", llm=Counter(), store=MemoryStore())).data == {
        "turns": 3
    }
    assert (most[0], most[-1]) == (2, 1)


def test_cancelled_session_cancels_its_backend_and_writes_its_transcript(tmp_path: Path) -> None:
    """Cancelling `arun` cancels the stream, writes the last row and leaves no task."""
    llm = Paced()

    async def main() -> None:
        session = asyncio.create_task(
            arun(
                TURNS,
                session_id="s",
                llm=llm,
                store=MemoryStore(),
                transcript=tmp_path / "t.jsonl",
            )
        )
        await asyncio.sleep(1.75)
        session.cancel()
        with pytest.raises(asyncio.CancelledError):
            await session
        assert len(asyncio.all_tasks()) == 1

    run_jumping(main())
    assert len(llm.cancelled) == 1
    assert rows(tmp_path / "t.jsonl")[-1]["error"] == "CancelledError()"


def test_backend_that_cancels_itself_is_an_error_event() -> None:
    """A CancelledError without a cancellation is an error of the backend."""

    class Quitter(Paced):
        async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            del request, on_delta
            raise asyncio.CancelledError

    with pytest.raises(SessionError, match=r"CancelledError: .*error\.communication"):
        run_jumping(arun(TURNS, session_id="s", llm=Quitter(), store=MemoryStore()))


def test_backend_that_ignores_its_cancellation_is_abandoned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The session ends after a second without its backend, and logs a warning."""

    class Stubborn(Uneven):
        async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            if request.system != "inner":
                return await super().astream(request, on_delta)
            while not self.cancelled:
                try:
                    await asyncio.sleep(1e9)
                except asyncio.CancelledError:
                    await asyncio.sleep(60)
                    self.cancelled.append("inner")
            return LLMReply("at last")

    llm = Stubborn()

    async def main() -> float:
        await arun(leaving(), session_id="s", llm=llm, store=MemoryStore())
        ended_s = asyncio.get_running_loop().time()
        await asyncio.sleep(120)
        assert len(asyncio.all_tasks()) == 1
        return ended_s

    with caplog.at_level(logging.WARNING, logger="escapement"):
        assert run_jumping(main()) == 3.0
    assert llm.cancelled == ["inner"]
    assert "s:conversation: its backend does not end when cancelled" in caplog.text
