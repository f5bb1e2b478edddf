"""What a cell without an engine may have, and what every cage does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CageCaps:
    """What a cell may have.

    Args:
        cpus: Processors' worth of time.
        memory_bytes: Without swap.
        pids: Processes and threads; None for a number that leaves some to the host.
    """

    cpus: float
    memory_bytes: int
    pids: int | None


class Cage(Protocol):
    """What holds the processes of one cell."""

    def join(self) -> None:
        """Move the process that calls this into it; for a child between fork and exec."""

    def look(self) -> None:
        """Do what there is to do now and then while the cell runs."""

    def empty(self) -> None:
        """Kill all that is in it, and wait until they are gone.

        Raises:
            TimeoutError: Something in it does not die.
        """

    def evidence(self) -> Mapping[str, object]:
        """Return what it did to those in it, by the names of the record."""

    def remove(self) -> None:
        """Remove what was made for it."""
