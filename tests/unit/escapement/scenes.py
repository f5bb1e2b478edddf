"""Whole sessions that several suites play: charts that converse, and both pumps to run them."""

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, cast

import pytest

from escapement import (
    CancelToken,
    Chart,
    Conversation,
    Event,
    Final,
    LLMBackend,
    LLMReply,
    LLMRequest,
    MemoryStore,
    SessionResult,
    State,
    Store,
    Transition,
    arun,
    run,
)
from escapement.machine.macrostep import Data
from escapement.testing import ScriptedLLM, call, run_jumping

PATIENCE_S = 20  # how long a broken test may hang

# On the calling thread; on a loop with tasks as workers; on a loop with threads as workers.
Mode = Literal["run", "arun", "threads"]

every = pytest.mark.parametrize("mode", ["run", "arun", "threads"])
on_threads = pytest.mark.parametrize("mode", ["run", "threads"])


class Blocking:
    """A backend that can't be awaited, so that a session on a loop has threads as its workers."""

    def __init__(self, llm: LLMBackend) -> None:
        self._llm = llm

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Do what the backend does."""
        return self._llm.stream(request, on_delta)


class Options(TypedDict, total=False):
    """What a session may be given beyond its chart, its backend and its store."""

    transcript: Path
    poll_ms: int
    data: Data
    cancel: CancelToken
    wedged_after_s: float


def drive(
    mode: Mode,
    chart: Chart,
    llm: LLMBackend,
    store: Store | None = None,
    **options: Unpack[Options],
) -> SessionResult:
    """Run a session under one of the pumps, without waiting where tasks are all there is."""
    kept = MemoryStore() if store is None else store
    if mode == "run":
        return run(chart, session_id="s", llm=llm, store=kept, **options)
    if mode == "arun":
        return run_jumping(arun(chart, session_id="s", llm=llm, store=kept, **options))
    return asyncio.run(arun(chart, session_id="s", llm=Blocking(llm), store=kept, **options))


def count(data: Data, _event: Event) -> Data:
    """Count a turn."""
    return {"turns": cast("int", data["turns"]) + 1}


def turns(number: int, *, name: str = "turns", also: tuple[str, ...] = ()) -> Chart:
    """Make a chart of so many turns.

    Args:
        number: After how many turns the session is done.
        name: The chart's id.
        also: Events that count as a turn and don't end the conversation, as `continue` does.
    """

    def enough(data: Data, _event: Event) -> bool:
        return cast("int", data["turns"]) >= number

    going = Transition("continue", "decide", actions=(count,))
    staying = tuple(Transition(event, actions=(count,)) for event in also)
    talk = Conversation("talk", lambda data: f"turn {data['turns']}", events=("continue", *also))
    turn = State("turn", transitions=(going, *staying), conversation=talk)
    decide = State(
        "decide", transitions=(Transition(None, "end", guard=enough), Transition(None, "turn"))
    )
    return Chart(name, "turn", (turn, decide, Final("end")), {"turns": 0})


TURNS = turns(6)


def pair(*outer: Transition, inner: tuple[Transition, ...] = ()) -> Chart:
    """Make a chart in which an outer and an inner state converse at once."""
    inside = State(
        "inner",
        transitions=inner,
        conversation=Conversation("i", lambda _: "", system="inner", events=("i",)),
    )
    outside = State(
        "outer",
        states=(inside, State("rest")),
        transitions=outer,
        conversation=Conversation("o", lambda _: "", system="outer", events=("o",)),
    )
    return Chart("pair", "outer", (outside, Final("end")), {"turns": 0})


def leaving() -> Chart:
    """Make a chart whose outer conversation leaves the inner one in mid stream, and another follows."""
    inner = State("inner", conversation=Conversation("i", lambda _: "", system="inner"))
    outer = State(
        "outer",
        states=(inner,),
        transitions=(Transition("leave", "next"),),
        conversation=Conversation("o", lambda _: "", system="outer", events=("leave",)),
    )
    following = State(
        "next",
        transitions=(Transition("finish", "end"),),
        conversation=Conversation("n", lambda _: "", system="next", events=("finish",)),
    )
    return Chart("leaving", "outer", (outer, following, Final("end")))


def endless() -> ScriptedLLM:
    """Make a backend that always continues."""
    return ScriptedLLM(itertools.repeat(call("continue")))


def rows(transcript: Path) -> list[dict[str, Any]]:
    """Read a transcript."""
    return [json.loads(line) for line in transcript.read_text().splitlines()]
