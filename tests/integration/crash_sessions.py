"""Sessions that are there to be killed: `python -m tests.integration.crash_sessions FOLDER`.

A third of them runs in threads, a third on an event loop with threads as workers, a third with tasks; each goes on from what FOLDER holds of it. Every step of the backend and of
the store is a byte on standard output, before and after, so that whoever reads them can kill this process anywhere.

An event appends its turn to the data. The backend tells the turn from the prompt, which is made from the data, so a lost event and one that
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
    LLMReply,
    LLMRequest,
    State,
    ToolCall,
    Transition,
    arun,
    run,
)

TURNS = 24  # of each of the two conversations of a session
SESSIONS = 4  # of each kind
SESSION_IDS = tuple(f"{pump}-{n}" for pump in ("thread", "loop", "task") for n in range(SESSIONS))

Data = Mapping[str, object]


def make_chart() -> Chart:
    """Make a chart in which two conversations append to the data at once, until both have had all turns."""

    def is_full(key: str) -> Callable[[Data, Event], bool]:
        return lambda data, _event: len(entries(data, key)) >= TURNS

    def is_over(data: Data, _event: Event) -> bool:
        return all(len(entries(data, key)) >= TURNS for key in ("inner", "outer"))

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
        initial="turn",
        states=(turn, following, State("rest")),
        conversation=_talk("outer"),
        transitions=(
            Transition("outer", actions=(_append("outer"),)),
            Transition(target="end", guard=is_over),
        ),
    )
    return Chart("crash", "work", (work, Final("end")), {"inner": [], "outer": []})


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
        return {key: (*entries(data, key), event.data)}

    return append


def tell(step: bytes) -> None:
    """Say that a step begins or ends."""
    os.write(1, step)


class Model:
    """A backend that knows what comes next from the prompt and from how often it was answered."""

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Call the conversation's event with the number of the turn, or end the conversation after the last."""
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
