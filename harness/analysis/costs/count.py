"""The count of one process, and the reason where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CounterName(StrEnum):
    """The name of a counter."""

    MEMORY = "memory"
    STRACE = "strace"
    CALLGRIND = "callgrind"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRun:
    """The counts of one process.

    Args:
        sessions: Driven by it; all ended ok.
        turns: Of all its sessions.
        amounts: By name: ``instructions``, ``traced-bytes``, ``allocated-blocks``, system calls.
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
        refused: True if no counter can count the subject with these settings; false if only
            this counter failed.
    """

    reason: str
    refused: bool
