"""The choice of a session's workers, and the event loop whose clock jumps."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from escapement import LLMReply, LLMRequest, MemoryStore, arun, run
from escapement.testing import JumpingLoop, ScriptedLLM, call, run_jumping
from tests.unit.escapement.scenes import TURNS, Blocking, endless


@pytest.mark.parametrize("kind", ["platform", "virtual", "auto"])
def test_variable_chooses_the_workers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ESCAPEMENT_WORKERS` decides whether streams run on threads or on the loop."""
    monkeypatch.setenv("ESCAPEMENT_WORKERS", kind)
    seen: set[threading.Thread] = set()

    class Where(ScriptedLLM):
        def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
            seen.add(threading.current_thread())
            return super().stream(request, on_delta)

    llm = Where([call("continue")] * 12)
    asyncio.run(arun(TURNS, session_id="a", llm=llm, store=MemoryStore()))
    assert (threading.main_thread() in seen) == (kind != "platform")
    seen.clear()
    run(TURNS, session_id="b", llm=llm, store=MemoryStore())
    assert (threading.main_thread() in seen) == (kind == "virtual")


def test_blocking_backend_uses_threads() -> None:
    """Without `astream`, a session on a loop uses threads."""
    llm = endless()
    asyncio.run(arun(TURNS, session_id="s", llm=Blocking(llm), store=MemoryStore()))
    assert len(llm.requests) == 6


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("green", r"ESCAPEMENT_WORKERS is 'green'; allowed: platform, virtual, auto"),
        ("virtual", r"needs a backend with astream\(\), but Blocking has none"),
    ],
)
def test_impossible_choice_is_rejected(
    value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown kind, or tasks for a blocking backend, are errors before the start."""
    monkeypatch.setenv("ESCAPEMENT_WORKERS", value)
    with pytest.raises(ValueError, match=message):
        run(TURNS, session_id="s", llm=Blocking(endless()), store=MemoryStore())
    with pytest.raises(ValueError, match=message):
        run_jumping(arun(TURNS, session_id="s", llm=Blocking(endless()), store=MemoryStore()))


def test_jumping_loop_rejects_real_waits() -> None:
    """Waiting without a timer and using an executor are errors, not hangs."""

    async def wait_forever() -> None:
        await asyncio.get_running_loop().create_future()

    async def block() -> None:
        await asyncio.to_thread(print)

    for main, message in ((wait_forever, "would wait forever"), (block, "no executor")):
        with pytest.raises(RuntimeError, match=message):
            run_jumping(main())


def test_jumping_loop_can_be_advanced() -> None:
    """A test can simulate slow work by advancing the clock."""
    loop = JumpingLoop()
    loop.jump(2.5)
    assert loop.time() == 2.5
    loop.close()
