"""Events, and the descriptors by which transitions say which events they take."""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[^\s.*]+(?:\.[^\s.*]+)*")
_DESCRIPTOR = re.compile(r"(?P<prefix>[^\s.*]+(?:\.[^\s.*]+)*)(?:\.\*?)?")


@dataclass(frozen=True, slots=True)
class Event:
    """What actions and guards receive: a dotted name and whatever came with it.

    The actions that run when a session starts receive an event with an empty name. Data is never
    changed once an event was made: it may be in a checkpoint and in the transcript.
    """

    name: str
    data: object = None


@dataclass(frozen=True, slots=True)
class ErrorEvent(Event):
    """An event of the `error` family that still knows the exception behind it."""

    cause: BaseException | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Timer:
    """A delayed event that has not fallen due.

    Attributes:
        event: What is posted then.
        due_s: The wall time at which that is, in seconds since the epoch: it means the same in the
            next process.
        id: What a `cancel` calls it by, if anything does.
    """

    event: Event
    due_s: float
    id: str | None = None


# The prefix of a descriptor, bare and with its dot; an empty pair takes every event.
Descriptor = tuple[str, str]
ANY: Descriptor = ("", "")


def failure(name: str, error: BaseException) -> ErrorEvent:
    """Turn an exception into an error event whose data can be stored.

    Args:
        name: `error.execution` or `error.communication`.
        error: What was raised.

    Source: SCXML 5.10.2, errors in the internal event queue.
    """
    kind = type(error).__name__
    return ErrorEvent(name, {"type": kind, "message": f"{kind}: {error}"}, error)


def is_error(event: Event) -> bool:
    """Tell whether an event must be handled by the chart or else end the session."""
    return event.name.startswith("error.") or event.name == "error"


def is_event_name(name: object) -> bool:
    """Tell whether a name is dotted tokens, without blanks and wildcards."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def parse_descriptors(text: str) -> tuple[Descriptor, ...]:
    """Split a transition's event attribute into its descriptors.

    Args:
        text: Descriptors with blanks between them; `foo`, `foo.` and `foo.*` are the same one.

    Raises:
        ValueError: There is no descriptor, or one is not dotted tokens; the text is the culprit.

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


def takes(descriptors: tuple[Descriptor, ...], name: str) -> bool:
    """Tell whether any descriptor is a token-wise prefix of an event's name.

    Source: SCXML 3.12.1, event descriptors.
    """
    return any(
        name == exact or name.startswith(dotted)  # an empty prefix is `*`
        for exact, dotted in descriptors
    )
