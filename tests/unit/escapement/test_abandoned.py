"""Conversations whose state is left in the middle, and what their workers do then."""

import threading
from collections.abc import Callable
from typing import cast

from escapement import LLMReply, LLMRequest, Transition
from escapement.testing import call
from tests.unit.escapement.scenes import PATIENCE_S, Mode, count, drive, leaving, on_threads, pair


class Leaver:
    """A backend in which one conversation leaves a state in which another one is streaming."""

    def __init__(self) -> None:
        self.streaming = threading.Event()
        self.entered = threading.Event()
        self.unwound = threading.Event()
        self.threads: dict[str, threading.Thread] = {}

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Play the part that the system prompt names."""
        self.threads[request.system] = threading.current_thread()
        if request.system == "outer":
            assert self.streaming.wait(PATIENCE_S)
            return call("leave")
        if request.system == "inner":
            self.streaming.set()
            assert self.entered.wait(PATIENCE_S)
            try:
                on_delta("token")
            finally:
                self.unwound.set()
        self.entered.set()
        assert self.unwound.wait(PATIENCE_S)
        return call("finish")


@on_threads
def test_conversation_left_in_mid_stream_is_abandoned(mode: Mode) -> None:
    """Leaving a state unwinds its stream, and what is free meanwhile takes the next one."""
    llm = Leaver()
    result = drive(mode, leaving(), llm)
    for thread in llm.threads.values():
        thread.join(PATIENCE_S)
    assert result.status == "done"
    assert llm.threads["next"] is llm.threads["outer"]
    assert llm.threads["next"] is not llm.threads["inner"]


class Together:
    """A backend whose first two streams end together; from then on the outer one goes on."""

    def __init__(self) -> None:
        self.together = threading.Barrier(2, timeout=PATIENCE_S)
        self.firsts = {"inner", "outer"}
        self.threads: set[threading.Thread] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Wait for the other stream, once."""
        self.threads.add(threading.current_thread())
        on_delta("")
        if request.system in self.firsts:
            self.firsts.remove(request.system)
            self.together.wait()
        return call(request.tools[0].removeprefix("event__"))


@on_threads
def test_surplus_worker_is_dismissed(mode: Mode) -> None:
    """When two conversations have become one, so have their workers."""
    chart = pair(
        Transition("o", "end", guard=lambda data, _: cast("int", data["turns"]) > 5),
        Transition("o", actions=(count,)),
        inner=(Transition("i", "rest"),),
    )
    assert drive(mode, chart, Together()).status == "done"
