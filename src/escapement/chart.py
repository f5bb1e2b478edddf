"""Charts as people write them: plain frozen definitions, without behaviour."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from escapement.event import Event

Action = Callable[[Mapping[str, object], Event], Mapping[str, object] | None]
Guard = Callable[[Mapping[str, object], Event], bool]


@dataclass(frozen=True, slots=True)
class Raise:
    """Executable content that puts an event on the internal queue.

    Source: SCXML 4.2, `<raise>`.
    """

    event: str
    data: object = None


@dataclass(frozen=True, slots=True)
class Send:
    """Executable content that puts an event on the external queue, at once or after a while.

    Args:
        event: The event's name.
        data: What comes with it.
        delay_ms: How long it waits before it is put there.
        id: What a `Cancel` calls it by.

    Source: SCXML 6.2, `<send>`.
    """

    event: str
    data: object = None
    _: KW_ONLY
    delay_ms: int = 0
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Executable content that withdraws the events of this id that still wait for their delay.

    Source: SCXML 6.3, `<cancel>`.
    """

    id: str


Content = Action | Raise | Send | Cancel


@dataclass(frozen=True, slots=True)
class Transition:
    """A way out of a state, or a reaction inside it when it has no target.

    Args:
        event: Event descriptors with blanks between them; none for an eventless transition.
        target: The id of the state to enter, or several, in different regions, with blanks
            between them; none to stay without leaving or entering anything.
        guard: Must hold for the transition to be taken; one that raises counts as false.
        actions: Run after states were left and before states are entered, in this order.
        internal: Don't leave the source, a compound state, when the target is inside it.

    Source: SCXML 3.5, `<transition>`.
    """

    event: str | None = None
    target: str | None = None
    _: KW_ONLY
    guard: Guard | None = None
    actions: tuple[Content, ...] = ()
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is said to a language model while a state is active, and what it may answer with.

    Args:
        id: Names the conversation in `done.invoke.ID`.
        prompt: Makes the first message from the session's data.
        system: The system prompt.
        events: The chart's events that the model is offered as tools named `event__NAME`.
    """

    id: str
    prompt: Callable[[Mapping[str, object]], str]
    _: KW_ONLY
    system: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Final:
    """A state that completes its parent or, at the top, the session.

    Source: SCXML 3.7, `<final>`.
    """

    id: str


@dataclass(frozen=True, slots=True)
class History:
    """A child that is never active: whoever targets it enters what was active in its parent.

    Args:
        id: Unique in the chart.
        target: What to enter when the parent was never left: children of the parent, or, when
            deep, any descendants. Several have blanks between them.
        deep: Remember the innermost states, and not only the children.
        actions: Run when the default target is taken, after the parent's `on_entry`; as the
            Recommendation has it, not when the parent is active already.

    Source: SCXML 3.10, `<history>`.
    """

    id: str
    target: str
    _: KW_ONLY
    deep: bool = False
    actions: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A state: compound when it has states of its own, atomic otherwise.

    Args:
        id: Unique in the chart.
        initial: The id of the descendant to enter by default, or several, in different regions,
            with blanks between them; the first child unless given.
        states: The children, in document order.
        transitions: In order of priority; those of a descendant go first.
        on_entry: Runs when the state is entered, in this order.
        on_exit: Runs when the state is left, in this order.
        conversation: Held for as long as the state is active.

    Source: SCXML 3.3, `<state>`.
    """

    id: str
    _: KW_ONLY
    initial: str | None = None
    states: "tuple[State | Parallel | Final | History, ...]" = ()
    transitions: tuple[Transition, ...] = ()
    on_entry: tuple[Content, ...] = ()
    on_exit: tuple[Content, ...] = ()
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Parallel:
    """A state whose children, its regions, are all active while it is.

    Args:
        id: Unique in the chart.
        states: The regions, in document order, and history states.
        transitions: In order of priority; those of a descendant go first.
        on_entry: Runs when the state is entered, before the regions are.
        on_exit: Runs when the state is left, after the regions were.
        conversation: Held for as long as the state is active.

    Source: SCXML 3.4, `<parallel>`.
    """

    id: str
    _: KW_ONLY
    states: "tuple[State | Parallel | History, ...]"
    transitions: tuple[Transition, ...] = ()
    on_entry: tuple[Content, ...] = ()
    on_exit: tuple[Content, ...] = ()
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A statechart; its identity is what it is compiled by, so make it once and share it.

    Args:
        id: Names the chart in checkpoints.
        initial: The id of the state that a session starts in; several have blanks between them.
        states: The top-level states, in document order.
        data: What every session's data starts with.
    """

    id: str
    initial: str
    states: tuple[State | Parallel | Final, ...]
    data: Mapping[str, object] = field(default_factory=dict)
