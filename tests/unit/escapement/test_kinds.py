"""Where a session's workers run, as it is chosen; and the loop that waits for nothing."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from escapement import LLMReply, LLMRequest, MemoryStore, arun, run
from escapement.testing import JumpingLoop, ScriptedLLM, call, run_jumping
from tests.unit.escapement.scenes import TURNS, Blocking, endless


@pytest.mark.parametrize("kind", ["platform", "virtual", "auto"])
def test_variable_chooses_the_workers(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are taken on threads or on the loop, as `ESCAPEMENT_WORKERS` says."""
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


def test_backend_that_only_blocks_has_threads() -> None:
    """Without `astream` a session on a loop falls back to threads, and no loop is blocked."""
    llm = endless()
    asyncio.run(arun(TURNS, session_id="s", llm=Blocking(llm), store=MemoryStore()))
    assert len(llm.requests) == 6


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("green", r"ESCAPEMENT_WORKERS is 'green'; allowed: platform, virtual, auto"),
        ("virtual", r"needs a backend with astream\(\), and Blocking has none"),
    ],
)
def test_choice_that_can_not_be_had_is_refused(
    value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt kind, and tasks for a backend that only blocks, are errors before anything starts."""
    monkeypatch.setenv("ESCAPEMENT_WORKERS", value)
    with pytest.raises(ValueError, match=message):
        run(TURNS, session_id="s", llm=Blocking(endless()), store=MemoryStore())
    with pytest.raises(ValueError, match=message):
        run_jumping(arun(TURNS, session_id="s", llm=Blocking(endless()), store=MemoryStore()))


def test_loop_that_jumps_refuses_what_takes_real_time() -> None:
    """Waiting for nothing and asking for an executor are errors, not hangs."""

    async def wait_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    async def block() -> None:
        await asyncio.to_thread(print)

    for main, message in ((wait_for_ever, "would wait for ever"), (block, "no executor")):
        with pytest.raises(RuntimeError, match=message):
            run_jumping(main())


def test_loop_that_jumps_can_be_moved_by_hand() -> None:
    """Work that takes time can be played by letting time pass."""
    loop = JumpingLoop()
    loop.jump(2.5)
    assert loop.time() == 2.5
    loop.close()
