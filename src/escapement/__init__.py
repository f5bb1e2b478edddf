"""A statechart runtime for agents: SCXML, durable sessions, no dependencies."""

from escapement.cancel import CancelToken
from escapement.chart import (
    Action,
    Cancel,
    Chart,
    Conversation,
    Final,
    Guard,
    History,
    Parallel,
    Raise,
    Send,
    State,
    Transition,
)
from escapement.errors import ChartError, CheckpointError, EscapementError, SessionError
from escapement.event import Event, Timer
from escapement.llm import AsyncLLMBackend, LLMBackend, LLMReply, LLMRequest, Message, ToolCall
from escapement.session.run import arun, run
from escapement.session.spec import SessionResult
from escapement.storage.file_store import FileBackedStore
from escapement.storage.store import Checkpoint, MemoryStore, Store

__version__ = "0.3.0.dev0"

__all__ = [
    "Action",
    "AsyncLLMBackend",
    "Cancel",
    "CancelToken",
    "Chart",
    "ChartError",
    "Checkpoint",
    "CheckpointError",
    "Conversation",
    "EscapementError",
    "Event",
    "FileBackedStore",
    "Final",
    "Guard",
    "History",
    "LLMBackend",
    "LLMReply",
    "LLMRequest",
    "MemoryStore",
    "Message",
    "Parallel",
    "Raise",
    "Send",
    "SessionError",
    "SessionResult",
    "State",
    "Store",
    "Timer",
    "ToolCall",
    "Transition",
    "__version__",
    "arun",
    "run",
]
