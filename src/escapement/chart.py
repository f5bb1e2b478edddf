"""The definitions that a chart is written with: frozen data without behaviour."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from escapement.event import Event

Action = Callable[[Mapping[str, object], Event], Mapping[str, object] | None]
Guard = Callable[[Mapping[str, object], Event], bool]


@dataclass(frozen=True, slots=True)
class Raise:
    """Executable content that adds an event to the internal queue.

    Source: SCXML 4.2, `<raise>`.
    """

    event: str
    data: object = None


@dataclass(frozen=True, slots=True)
class Send:
    """Executable content that adds an event to the external queue, at once or delayed.

    Args:
        event: The event's name.
        data: The event's data.
        delay_ms: The time until the event is added to the queue.
        id: The id that a `Cancel` refers to.

    Source: SCXML 6.2, `<send>`.
    """

    event: str
    data: object = None
    _: KW_ONLY
    delay_ms: int = 0
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Executable content that cancels the delayed events with this id.

    Source: SCXML 6.3, `<cancel>`.
    """

    id: str


Content = Action | Raise | Send | Cancel


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of states, or a reaction without a change when it has no target.

    Args:
        event: Event descriptors, separated by blanks; None for an eventless transition.
        target: The id of the state to enter, or ids in different regions, separated by blanks;
            None to leave and enter nothing.
        guard: The condition for the transition; false if it raises.
        actions: Run in this order after states are left and before states are entered.
        internal: Do not leave the source, a compound state, when the target is inside it.

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
    """A conversation with a language model while a state is active.

    Args:
        id: Names the conversation in `done.invoke.ID`.
        prompt: Returns the first message, given the session's data.
        system: The system prompt.
        events: The chart's events that the model can raise with tools named `event__NAME`.
    """

    id: str
    prompt: Callable[[Mapping[str, object]], str]
    _: KW_ONLY
    system: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Final:
    """A state that completes its parent or, at the top level, the session.

    Source: SCXML 3.7, `<final>`.
    """

    id: str


@dataclass(frozen=True, slots=True)
class History:
    """A target that stands for the states last active in its parent.

    Args:
        id: Unique in the chart.
        target: The default while the parent was never left: children of the parent or, when
            deep, any descendants. Several ids are separated by blanks.
        deep: Restore the innermost states instead of the children.
        actions: Run when the default is entered, after the parent's `on_entry`. They do not run
            when the parent is already active, as in the Recommendation.

    Source: SCXML 3.10, `<history>`.
    """

    id: str
    target: str
    _: KW_ONLY
    deep: bool = False
    actions: tuple[Content, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A state: compound when it has children, atomic otherwise.

    Args:
        id: Unique in the chart.
        initial: The id of the descendant to enter by default, or ids in different regions,
            separated by blanks; None for the first child.
        states: The children, in document order.
        transitions: In order of priority; transitions of descendants have priority.
        on_entry: Runs in this order when the state is entered.
        on_exit: Runs in this order when the state is left.
        conversation: Lasts as long as the state is active.

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
    """A state whose children, its regions, are active all at once.

    Args:
        id: Unique in the chart.
        states: The regions, in document order, and history states.
        transitions: In order of priority; transitions of descendants have priority.
        on_entry: Runs when the state is entered, before its regions are entered.
        on_exit: Runs when the state is left, after its regions were left.
        conversation: Lasts as long as the state is active.

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
    """A statechart; compiled once per object, so make it once and share it.

    Args:
        id: Names the chart in checkpoints.
        initial: The id of the state that a session starts in, or ids separated by blanks.
        states: The top-level states, in document order.
        data: The initial data of every session.
    """

    id: str
    initial: str
    states: tuple[State | Parallel | Final, ...]
    data: Mapping[str, object] = field(default_factory=dict)
