"""Checkpoints, the protocol of their stores, and the store in memory."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from escapement.event import Event, Timer
from escapement.machine.history import NO_HISTORY, StateHistory


class Checkpoint(NamedTuple):
    """The state of a session between two events, sufficient to resume it.

    Every event of every session makes one; a tuple is the cheapest immutable object.

    Attributes:
        chart_id: The session's chart.
        configuration: The ids of the active states, in document order.
        data: The session's data, a read-only mapping; copy it with `dict(data)`.
        pending: The external queue, the oldest event first.
        history: History state -> the states that it stands for, by id.
        timers: The delayed events that are not due yet.
        source: The origin of the record, for messages; ignored by comparisons.
    """

    chart_id: str
    configuration: tuple[str, ...]
    data: Mapping[str, object]
    pending: tuple[Event, ...] = ()
    history: StateHistory = NO_HISTORY
    timers: tuple[Timer, ...] = ()
    source: str = "the store"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkpoint) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:  # tuple defines its own
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])


class Store(Protocol):
    """A store of the last checkpoint of each session, used by several threads."""

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Replace the checkpoint of a session atomically.

        Raises:
            CheckpointError: The record cannot be stored.
        """
        ...

    def load(self, session_id: str) -> Checkpoint | None:
        """Return the last checkpoint of a session; None without one.

        Raises:
            CheckpointError: The record cannot be read.
        """
        ...


class MemoryStore:
    """A store that keeps references to records, and serialises nothing."""

    __slots__ = ("_records",)

    def __init__(self) -> None:
        self._records: dict[str, Checkpoint] = {}

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Replace the checkpoint of a session."""
        self._records[session_id] = record

    def load(self, session_id: str) -> Checkpoint | None:
        """Return the last checkpoint of a session; None without one."""
        return self._records.get(session_id)
