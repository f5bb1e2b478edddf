"""Charts with conversations, and ways to run whole sessions of them."""

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

TIMEOUT_S = 20  # for a broken test

# On the calling thread; on a loop with tasks as workers; on a loop with threads as workers.
Mode = Literal["run", "arun", "threads"]

every_mode = pytest.mark.parametrize("mode", ["run", "arun", "threads"])
on_threads = pytest.mark.parametrize("mode", ["run", "threads"])


class Blocking:
    """A backend that cannot be awaited, so that a session on a loop uses threads."""

    def __init__(self, llm: LLMBackend) -> None:
        self._llm = llm

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Call the wrapped backend."""
        return self._llm.stream(request, on_delta)


class Options(TypedDict, total=False):
    """The optional arguments of a session."""

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
    """Run a session in a mode; with tasks as workers on a loop whose clock jumps."""
    kept = MemoryStore() if store is None else store
    if mode == "run":
        return run(chart, session_id="s", llm=llm, store=kept, **options)
    if mode == "arun":
        return run_jumping(arun(chart, session_id="s", llm=llm, store=kept, **options))
    return asyncio.run(arun(chart, session_id="s", llm=Blocking(llm), store=kept, **options))


def count(data: Data, _event: Event) -> Data:
    """Count a turn in the data."""
    return {"turns": cast("int", data["turns"]) + 1}


def turns(number: int, *, name: str = "turns", also: tuple[str, ...] = ()) -> Chart:
    """Return a chart that is done after a number of turns.

    Args:
        number: The number of turns.
        name: The chart's id.
        also: Events that count as a turn but, unlike `continue`, do not end the conversation.
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
    """Return a chart with two conversations at once, of an outer and an inner state."""
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
    """Return a chart whose outer conversation leaves the inner one midway."""
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
    """Return a backend that replies `continue` to every request."""
    return ScriptedLLM(itertools.repeat(call("continue")))


def rows(transcript: Path) -> list[dict[str, Any]]:
    """Return the rows of a transcript."""
    return [json.loads(line) for line in transcript.read_text().splitlines()]
