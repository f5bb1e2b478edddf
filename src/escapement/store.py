"""Checkpoints, the protocol of what keeps them, and the store that keeps them in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from escapement.event import Event


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a session stands between two events; all that it takes to go on.

    Attributes:
        chart_id: The chart that the session runs.
        configuration: The ids of the active states, in document order.
        data: The session's data, a read-only mapping; `dict(data)` is a copy.
        pending: The external events that wait, the oldest first.
        source: Where the record was read from, for messages.
    """

    chart_id: str
    configuration: tuple[str, ...]
    data: Mapping[str, object]
    pending: tuple[Event, ...] = ()
    source: str = field(default="the store", compare=False)


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
