"""What one counted process comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CounterName(StrEnum):
    """What counts."""

    MEMORY = "memory"
    STRACE = "strace"
    CALLGRIND = "callgrind"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRun:
    """What was counted of one process.

    Args:
        sessions: That it drove, all of which ended ok.
        turns: That they took together.
        amounts: What was counted, by name: ``instructions``; ``traced-bytes`` and ``allocated-blocks``; the names of system calls.
        subject: SHA-256 of the runtime that it loaded.
    """

    sessions: int
    turns: int
    amounts: Mapping[str, int]
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """A process that could not be counted.

    Args:
        reason: One phrase.
        refused: Whether it is the subject or its settings that cannot be counted, whatever counts; else only this counter could not.
    """

    reason: str
    refused: bool
