"""What counts exact costs, and where each side is put for it: two ports."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.costs import Count, CounterName, Uncounted
from harness.model import Drive, Load, Side
from harness.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOrder:
    """One process to be counted.

    Args:
        place: The folder that the side's tree is in.
        level: How many sessions it drives.
    """

    side: Side
    place: str
    drive: Drive
    load: Load
    level: int


class Counter(Protocol):
    """Counts one kind of thing in processes that drive sessions under the virtual clock."""

    @property
    def name(self) -> CounterName:
        """What it is called."""

    @property
    def levels(self) -> tuple[int, int]:
        """The two levels that its slopes lie between, the smaller first."""

    def find_missing(self) -> str:
        """Say in one sentence what is not installed and how to get it; empty when it can count."""

    def count(self, orders: Sequence[CountOrder]) -> Sequence[Count | Uncounted]:
        """Run the processes, some at once, and return what was counted of each, in the same order.

        None of them, and nothing that they wrote, is left when this returns or raises.
        """


class LocalSides(Protocol):
    """Local environments: a side's tree in a folder, this interpreter, and no box."""

    @property
    def confinement(self) -> str:
        """How the processes are held that run there; it begins with ``unconfined`` where they are not."""

    @property
    def python(self) -> str:
        """The interpreter that they run in."""

    def open(self, trees: Mapping[Side, Tree]) -> AbstractContextManager[Mapping[Side, str]]:
        """Put each tree into a folder of its own for as long as the block runs, and give the folders."""
