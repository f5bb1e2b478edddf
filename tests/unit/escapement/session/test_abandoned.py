"""Conversations whose state is left during a stream, and their workers."""

import threading
from collections.abc import Callable
from typing import cast

from escapement import LLMReply, LLMRequest, Transition
from escapement.testing import call
from tests.unit.escapement.scenes import TIMEOUT_S, Mode, count, drive, leaving, on_threads, pair


class Leaver:
    """A backend where one conversation leaves a state while another one streams."""

    def __init__(self) -> None:
        self.streaming = threading.Event()
        self.entered = threading.Event()
        self.unwound = threading.Event()
        self.threads: dict[str, threading.Thread] = {}

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Act as the conversation that the system prompt names."""
        self.threads[request.system] = threading.current_thread()
        if request.system == "outer":
            assert self.streaming.wait(TIMEOUT_S)
            return call("leave")
        if request.system == "inner":
            self.streaming.set()
            assert self.entered.wait(TIMEOUT_S)
            try:
                on_delta("token")
            finally:
                self.unwound.set()
        self.entered.set()
        assert self.unwound.wait(TIMEOUT_S)
        return call("finish")


@on_threads
def test_conversation_left_during_its_stream_is_abandoned(mode: Mode) -> None:
    """Leaving a state unwinds its stream; a free worker takes the next conversation."""
    llm = Leaver()
    result = drive(mode, leaving(), llm)
    for thread in llm.threads.values():
        thread.join(TIMEOUT_S)
    assert result.status == "done"
    assert llm.threads["next"] is llm.threads["outer"]
    assert llm.threads["next"] is not llm.threads["inner"]


class Together:
    """A backend whose first two streams end together."""

    def __init__(self) -> None:
        self.together = threading.Barrier(2, timeout=TIMEOUT_S)
        self.firsts = {"inner", "outer"}
        self.threads: set[threading.Thread] = set()

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Wait for the other stream in the first turn."""
        self.threads.add(threading.current_thread())
        on_delta("")
        if request.system in self.firsts:
            self.firsts.remove(request.system)
            self.together.wait()
        return call(request.tools[0].removeprefix("event__"))


@on_threads
def test_surplus_worker_is_closed(mode: Mode) -> None:
    """One of two workers ends with the second conversation."""
    chart = pair(
        Transition("o", "end", guard=lambda data, _: cast("int", data["turns"]) > 5),
        Transition("o", actions=(count,)),
        inner=(Transition("i", "rest"),),
    )
    assert drive(mode, chart, Together()).status == "done"
