"""Checkpoints, the protocol of what keeps them, and the store that keeps them in memory."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from escapement.event import Event, Timer

History = Mapping[str, tuple[str, ...]]  # a history state's id, and the states that it remembers

_NO_HISTORY: History = {}


class Checkpoint(NamedTuple):
    """Where a session stands between two events; all that it takes to go on.

    One is made after every event of every session, and a tuple is the cheapest thing that can't
    be changed. `source` says where a record is from, so it makes no two records different.

    Attributes:
        chart_id: The chart that the session runs.
        configuration: The ids of the active states, in document order.
        data: The session's data, a read-only mapping; `dict(data)` is a copy.
        pending: The external events that wait, the oldest first.
        history: The ids of the states that each history state remembers, by its own id.
        timers: The delayed events that have not fallen due.
        source: Where the record was read from, for messages.
    """

    chart_id: str
    configuration: tuple[str, ...]
    data: Mapping[str, object]
    pending: tuple[Event, ...] = ()
    history: History = _NO_HISTORY
    timers: tuple[Timer, ...] = ()
    source: str = "the store"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checkpoint) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:  # a tuple has one of its own
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])


class Store(Protocol):
    """Keeps the last checkpoint of each session; it is called from many threads at once."""

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Replace the checkpoint of a session, wholly or not at all.

        Raises:
            CheckpointError: The record can't be kept.
        """
        ...

    def load(self, session_id: str) -> Checkpoint | None:
        """Return the last checkpoint of a session, or none if it has never had one.

        Raises:
            CheckpointError: There is a record, but it can't be read.
        """
        ...


class MemoryStore:
    """Keeps references for as long as the store lives, and serialises nothing."""

    __slots__ = ("_records",)

    def __init__(self) -> None:
        self._records: dict[str, Checkpoint] = {}

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Replace the checkpoint of a session."""
        self._records[session_id] = record

    def load(self, session_id: str) -> Checkpoint | None:
        """Return the last checkpoint of a session, or none if it has never had one."""
        return self._records.get(session_id)
