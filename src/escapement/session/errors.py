"""The errors that end a session, each with where it stood and what to look at."""

from collections.abc import Iterable, Mapping

from escapement.errors import SessionError
from escapement.event import ErrorEvent, Event
from escapement.machine.node import Node


def failed(session_id: str, state_ids: Iterable[str], event: Event) -> SessionError:
    """Make the error of a session whose chart doesn't handle an error event.

    Args:
        session_id: The session.
        state_ids: The active states.
        event: The event; the exception behind it, if it still knows one, becomes the cause.
    """
    data = event.data
    detail = data.get("message", data) if isinstance(data, Mapping) else data
    message = (
        f"session {session_id!r}, state {', '.join(state_ids)}:"
        f" {detail} (an {event.name} that no transition takes)"
    )
    error = SessionError(message)
    error.__cause__ = event.cause if isinstance(event, ErrorEvent) else None
    return error


def wedged(session_id: str, after_s: float, waiting: Iterable[Node]) -> SessionError:
    """Make the error of a session in which nothing moves any more.

    Args:
        session_id: The session.
        after_s: For how long that has been so, in seconds.
        waiting: The states whose conversations are waited for.
    """
    states = ", ".join(repr(node.id) for node in waiting)
    message = (
        f"session {session_id!r} is wedged: for {after_s:g} s neither an event nor a token has come"
        f" from the conversation of state {states}; see whether the backend still answers"
    )
    return SessionError(message)
