"""The loop in escapement: a conversation, and a choice to repeat or end."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from load import PIECE, Load, chunk_of, session_name

from escapement import (
    Chart,
    Conversation,
    Event,
    Final,
    LLMReply,
    LLMRequest,
    MemoryStore,
    SessionResult,
    State,
    ToolCall,
    Transition,
    arun,
)


class MockBackend:
    """A backend that streams its tokens without any delay, for a thread and for a loop.

    The runtime takes each token, to notice when a turn is abandoned, and keeps the whole reply. A caller that wants the
    tokens themselves takes them here.

    Attributes:
        received: How many tokens a session's caller was given.
    """

    def __init__(self, load: Load) -> None:
        self._tokens = load.tokens
        self._reply = LLMReply(PIECE * load.tokens, ToolCall("event__continue"))
        self.received = {session_name(index): 0 for index in range(load.sessions)}

    def stream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Answer on the calling thread."""
        for _ in range(self._tokens):
            on_delta(PIECE)
            self._take(request.session_id, PIECE)
        return self._reply

    def _take(self, session_id: str, _token: str) -> None:
        self.received[session_id] += 1

    async def astream(self, request: LLMRequest, on_delta: Callable[[str], None]) -> LLMReply:
        """Answer on the running loop."""
        return self.stream(request, on_delta)


def make_chart(load: Load) -> Chart:
    """Return the chart: `turn` streams an answer, `decide` repeats it."""

    def is_unfinished(data: Mapping[str, object], _event: Event) -> bool:
        return data["count"] < load.turns

    def grow(data: Mapping[str, object], _event: Event) -> Mapping[str, object]:
        count = data["count"] + 1
        return {"count": count, "chunks": (*data["chunks"], chunk_of(count))}

    def prompt(data: Mapping[str, object]) -> str:
        return f"turn {data['count'] + 1}"

    return Chart(
        "turns",
        "turn",
        (
            State(
                "turn",
                conversation=Conversation("talk", prompt, events=("continue",)),
                transitions=(Transition("continue", "decide", actions=(grow,)),),
            ),
            State(
                "decide",
                transitions=(
                    Transition(target="turn", guard=is_unfinished),
                    Transition(target="finished"),
                ),
            ),
            Final("finished"),
        ),
        data={"count": 0, "chunks": ()},
    )


class Run:
    """All sessions of one run.

    Args:
        folder: Where the transcripts go; None for no transcripts.
    """

    def __init__(self, load: Load, folder: Path | None) -> None:
        self._load = load
        self._folder = folder
        self._chart, self._store, self._backend = (
            make_chart(load),
            MemoryStore(),
            MockBackend(load),
        )
        self._results: list[SessionResult] = []

    async def go(self) -> int:
        """Run all sessions at once; return how many tokens their callers received."""
        self._results = await asyncio.gather(*map(self._session, range(self._load.sessions)))
        return sum(self._backend.received.values())

    def check(self) -> None:
        """See that each session ended with all its turns."""
        for result in self._results:
            if len(result.data["chunks"]) != self._load.turns:
                msg = f"{result.session_id} ended with {len(result.data['chunks'])} chunks"
                raise RuntimeError(msg)

    async def _session(self, index: int) -> SessionResult:
        name = session_name(index)
        return await arun(
            self._chart,
            session_id=name,
            llm=self._backend,
            store=self._store,
            transcript=self._folder / f"{name}.jsonl" if self._folder else None,
        )


def make_run(load: Load, *, has_transcript: bool) -> Run:
    """Prepare all that the sessions share; transcripts go to a temporary folder."""
    return Run(load, Path(tempfile.mkdtemp(prefix="turns-")) if has_transcript else None)
