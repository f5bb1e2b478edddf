"""A chart as both machines can be told it: plain text, no callables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["state", "parallel", "final", "history"]

GUARDS = ("", "n % 2 == 0", "n % 3 != 1")  # over a counter that entry content moves on
FUELLED = "fuel > 0"  # what could go round for ever burns something, of which there is little


@dataclass
class Arc:
    """A transition; its id is what it logs.

    Attributes:
        event: Descriptors; none for an eventless one.
        guard: One of `GUARDS`.
        burns: Taken only while there is fuel, of which it takes one.
        raises: Events to raise after the log.
    """

    id: str
    event: str | None = None
    targets: tuple[str, ...] = ()
    internal: bool = False
    guard: str = ""
    burns: bool = False
    raises: tuple[str, ...] = ()

    @property
    def condition(self) -> str:
        """The whole guard, which holds always when it is empty."""
        return " and ".join(part for part in (FUELLED if self.burns else "", self.guard) if part)


@dataclass
class Shape:
    """A state or a history state.

    Attributes:
        targets: The initial of a compound state, the default of a history state.
        raises: What is raised after the log upon entry.
    """

    id: str
    kind: Kind = "state"
    children: list["Shape"] = field(default_factory=list)
    targets: tuple[str, ...] = ()
    arcs: list[Arc] = field(default_factory=list)
    deep: bool = False
    raises: tuple[str, ...] = ()

    def walk(self) -> Iterator["Shape"]:
        """Go through this state and what is in it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def regions(self) -> list["Shape"]:
        """The children that can be active."""
        return [child for child in self.children if child.kind != "history"]


@dataclass
class Sketch:
    """A chart, and what happens to it."""

    states: list[Shape]
    initial: tuple[str, ...]
    events: tuple[str, ...] = ()
    fuel: int = 0

    def walk(self) -> Iterator[Shape]:
        """Go through all states, in document order."""
        for state in self.states:
            yield from state.walk()


@dataclass(frozen=True, slots=True)
class View:
    """The visible state of a session between two events."""

    active: frozenset[str]
    log: tuple[str, ...]
    finished: bool
