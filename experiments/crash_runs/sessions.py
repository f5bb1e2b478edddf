"""Sessions to kill: `python -m experiments.crash_runs.sessions FOLDER`.

A third of them runs in threads, a third on an event loop with threads as workers, a third with tasks; each goes on from what FOLDER holds of it. Every step of the backend and of
the store is a byte on standard output, before and after, so that whoever reads them can kill this process anywhere.

Beside two conversations runs a clock of delayed events, which goes on by its history. An event appends its turn to the data. The backend tells the turn from the prompt, which is made from the data, so a lost event and one that
was handled twice would both show: as a gap, or as a turn that is there twice.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from escapement import (
    Chart,
    Checkpoint,
    Conversation,
    Event,
    FileBackedStore,
    Final,
    History,
    LLMReply,
    LLMRequest,
    Parallel,
    Send,
    State,
    ToolCall,
    Transition,
    arun,
    run,
)

TURNS = 24  # of each of the two conversations of a session
TICKS = 8  # events that are delayed, each sent by the one before
KEYS = ("inner", "outer", "ticks")
SESSIONS = 4  # of each kind
SESSION_IDS = tuple(f"{pump}-{n}" for pump in ("thread", "loop", "task") for n in range(SESSIONS))

Data = Mapping[str, object]


def make_chart() -> Chart:
    """Make a chart in which two conversations and a clock append to the data."""

    def is_full(key: str) -> Callable[[Data, Event], bool]:
        return lambda data, _event: len(entries(data, key)) >= (TICKS if key == "ticks" else TURNS)

    def is_over(data: Data, event: Event) -> bool:
        return all(is_full(key)(data, event) for key in KEYS)

    turn = State(
        "turn",
        conversation=_talk("inner"),
        transitions=(Transition("inner", "next", actions=(_append("inner"),)),),
    )
    following = State(
        "next",
        transitions=(
            Transition(target="rest", guard=is_full("inner")),
            Transition(target="turn"),
        ),
    )
    work = State(
        "work",
        states=(turn, following, State("rest")),
        conversation=_talk("outer"),
        transitions=(Transition("outer", actions=(_append("outer"),)),),
    )
    both = Parallel(
        "both",
        states=(work, _make_clock(is_full("ticks"))),
        transitions=(Transition(target="end", guard=is_over),),
    )
    data: dict[str, object] = {key: [] for key in KEYS}
    return Chart("crash", "both", (both, Final("end")), data)


def _make_clock(is_full: Callable[[Data, Event], bool]) -> State:
    """Make a state that ticks after a delay, and returns through its history."""

    def is_odd(data: Data, _event: Event) -> bool:
        return len(entries(data, "ticks")) % 2 == 1

    again = Send("tick", delay_ms=1)
    dial = State(
        "dial",
        states=(State("tic"), State("tac"), History("past", "tic")),
        transitions=(Transition("tick", "pause", actions=(_append("ticks"),)),),
    )
    pause = State(
        "pause",
        transitions=(
            Transition(target="past", guard=is_full),
            Transition(target="tac", guard=is_odd, actions=(again,)),
            Transition(target="past", actions=(again,)),
        ),
    )
    start = State("start", transitions=(Transition(target="dial", actions=(again,)),))
    return State("clock", initial="start", states=(start, dial, pause))


def entries(data: Data, key: str) -> list[object]:
    """Return what one conversation has appended."""
    held = data[key]
    assert isinstance(held, list | tuple)
    return list(held)


def turns_of(data: Data, key: str) -> list[object]:
    """Return the numbers of the turns that one conversation has appended."""
    return [entry["turn"] for entry in entries(data, key) if isinstance(entry, Mapping)]


def _talk(key: str) -> Conversation:
    return Conversation(key, lambda data: f"{key} {len(entries(data, key))}", events=(key,))


def _append(key: str) -> Callable[[Data, Event], Data]:
    def append(data: Data, event: Event) -> Data:
        held = entries(data, key)
        return {key: (*held, event.data or {"turn": len(held)})}

    return append


def tell(step: bytes) -> None:
    """Say that a step begins or ends."""
    os.write(1, step)


class Model:
    """A backend that derives its answer from the prompt and earlier answers."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Call the event with the turn's number, or end after the last turn."""
        tell(b"m")
        key, number = request.messages[0].content.split()
        turn = int(number) + len(request.messages) // 2
        on_delta("…")
        tell(b"M")
        if turn >= TURNS:
            return LLMReply("that is all")
        text = f"{request.session_id} {key} {turn} " * (turn + 1)
        return LLMReply("", ToolCall(f"event__{key}", {"turn": turn, "text": text}))


class AwaitedModel(Model):
    """The same, for sessions whose workers are tasks."""

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Answer after the loop has had its turn."""
        await asyncio.sleep(0)
        return self.stream(request, on_delta)


class TellingStore(FileBackedStore):
    """Says when a checkpoint is being saved."""

    __slots__ = ()

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Save a checkpoint."""
        tell(b"s")
        super().save(session_id, record)
        tell(b"S")


def main(folder: Path) -> None:
    """Run all sessions to their ends, from wherever they are."""
    chart, store = make_chart(), TellingStore(folder)
    blocking_model, awaited_model = Model(), AwaitedModel()

    def transcript(session_id: str) -> Path:
        return folder / f"{session_id}.jsonl"

    def run_one(session_id: str) -> None:
        path = transcript(session_id)
        run(chart, session_id=session_id, llm=blocking_model, store=store, transcript=path)

    async def run_many() -> None:
        sessions = []
        for name in SESSION_IDS[SESSIONS:]:
            llm = awaited_model if name.startswith("task") else blocking_model
            path = transcript(name)
            sessions.append(arun(chart, session_id=name, llm=llm, store=store, transcript=path))
        await asyncio.gather(*sessions)

    with ThreadPoolExecutor(SESSIONS) as pool:
        blocking = pool.map(run_one, SESSION_IDS[:SESSIONS])
        asyncio.run(run_many())
        list(blocking)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
