"""Events, delayed events, and the descriptors that transitions match events with."""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[^\s.*]+(?:\.[^\s.*]+)*")
_DESCRIPTOR = re.compile(r"(?P<prefix>[^\s.*]+(?:\.[^\s.*]+)*)(?:\.\*?)?")


@dataclass(frozen=True, slots=True)
class Event:
    """The argument of actions and guards: a dotted name and data.

    Actions that run when a session starts receive an event with an empty name. The data must not
    change after the event is made: checkpoints and the transcript refer to it.
    """

    name: str
    data: object = None


@dataclass(frozen=True, slots=True)
class ErrorEvent(Event):
    """An event of the `error` family that refers to the exception behind it."""

    cause: BaseException | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Timer:
    """A delayed event that is not due yet.

    Attributes:
        event: The event to post.
        due_s: The wall time to post it at, in seconds since the epoch, so that another process
            can resume the delay.
        id: The id that a `Cancel` refers to.
    """

    event: Event
    due_s: float
    id: str | None = None


# The prefix of a descriptor, without and with its dot; an empty pair matches every event.
Descriptor = tuple[str, str]
ANY: Descriptor = ("", "")


def make_error_event(name: str, error: BaseException) -> ErrorEvent:
    """Convert an exception into an error event whose data can be stored.

    Args:
        name: `error.execution` or `error.communication`.
        error: The exception.

    Source: SCXML 5.10.2, errors in the internal event queue.
    """
    kind = type(error).__name__
    return ErrorEvent(name, {"type": kind, "message": f"{kind}: {error}"}, error)


def is_error_event(event: Event) -> bool:
    """Return whether an event ends the session unless a transition handles it."""
    return event.name.startswith("error.") or event.name == "error"


def is_event_name(name: object) -> bool:
    """Return whether a name is dotted tokens without blanks and wildcards."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def parse_descriptors(text: str) -> tuple[Descriptor, ...]:
    """Parse the event attribute of a transition.

    Args:
        text: Descriptors, separated by blanks; `foo`, `foo.` and `foo.*` are equivalent.

    Raises:
        ValueError: There is no descriptor, or one is not dotted tokens. The message is that
            descriptor.

    Source: SCXML 3.12.1, event descriptors.
    """
    descriptors: list[Descriptor] = []
    for word in text.split():
        found = _DESCRIPTOR.fullmatch(word)
        if word == "*":
            descriptors.append(ANY)
        elif found is None:
            raise ValueError(word)
        else:
            descriptors.append((found["prefix"], found["prefix"] + "."))
    if not descriptors:
        raise ValueError(text)
    return tuple(descriptors)


def matches(descriptors: tuple[Descriptor, ...], name: str) -> bool:
    """Return whether any descriptor is a token-wise prefix of an event's name.

    Source: SCXML 3.12.1, event descriptors.
    """
    return any(
        name == exact or name.startswith(dotted)  # an empty prefix is `*`
        for exact, dotted in descriptors
    )
