"""The loop in LangGraph: a node, and a conditional edge to repeat or end."""

import asyncio
import operator
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from load import PIECE, Load, chunk_of, session_name
from typing_extensions import TypedDict

Mode = Literal["messages", "custom"]


class MockChat(BaseChatModel):
    """A chat model that streams its tokens without any delay."""

    tokens: int

    @property
    def _llm_type(self) -> str:
        return "mock"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del messages, stop, run_manager, kwargs
        message = AIMessage(PIECE * self.tokens)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        del messages, stop, run_manager, kwargs
        for _ in range(self.tokens):
            yield ChatGenerationChunk(message=AIMessageChunk(PIECE))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del messages, stop, run_manager, kwargs
        for _ in range(self.tokens):
            yield ChatGenerationChunk(message=AIMessageChunk(PIECE))


class State(TypedDict):
    """The state of a session: its turns so far, and 1 KB for each."""

    count: int
    chunks: Annotated[list[str], operator.add]


def make_graph(load: Load, mode: Mode, *, has_saver: bool) -> CompiledStateGraph:
    """Compile the graph: `turn` streams an answer and repeats itself."""
    model = MockChat(tokens=load.tokens)

    async def turn(state: State) -> dict[str, object]:
        count = state["count"] + 1
        await model.ainvoke([HumanMessage(f"turn {count}")])
        return {"count": count, "chunks": [chunk_of(count)]}

    async def turn_without_langchain(state: State) -> dict[str, object]:
        count = state["count"] + 1
        writer = get_stream_writer()
        for _ in range(load.tokens):
            writer(PIECE)
        return {"count": count, "chunks": [chunk_of(count)]}

    def again(state: State) -> str:
        return "turn" if state["count"] < load.turns else END

    builder = StateGraph(State)
    builder.add_node("turn", turn if mode == "messages" else turn_without_langchain)
    builder.add_edge(START, "turn")
    builder.add_conditional_edges("turn", again, ["turn", END])
    return builder.compile(checkpointer=InMemorySaver() if has_saver else None)


@dataclass(frozen=True, slots=True)
class Run:
    """All sessions of one run.

    Args:
        mode: How tokens reach the caller.
    """

    load: Load
    mode: Mode
    graph: CompiledStateGraph

    async def go(self) -> int:
        """Run all sessions at once; return how many tokens their callers received."""
        return sum(await asyncio.gather(*map(self._session, range(self.load.sessions))))

    def check(self) -> None:
        """Check that each session took all its turns, if a saver holds its end."""
        for index in range(self.load.sessions if self.graph.checkpointer else 0):
            held = len(self.graph.get_state(self._config(index)).values["chunks"])
            if held != self.load.turns:
                msg = f"{session_name(index)} ended with {held} chunks"
                raise RuntimeError(msg)

    async def _session(self, index: int) -> int:
        received = 0
        start = {"count": 0, "chunks": []}
        async for part in self.graph.astream(start, self._config(index), stream_mode=self.mode):
            # a chat model's stream ends with an empty chunk, which is no token
            received += 1 if self.mode == "custom" or part[0].content else 0
        return received

    def _config(self, index: int) -> dict[str, object]:
        return {
            "configurable": {"thread_id": session_name(index)},
            "recursion_limit": self.load.turns + 10,
        }


def make_run(load: Load, mode: Mode, *, has_saver: bool) -> Run:
    """Make ready all that is made once for all sessions."""
    return Run(load, mode, make_graph(load, mode, has_saver=has_saver))
