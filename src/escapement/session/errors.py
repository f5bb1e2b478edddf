"""The errors that end a session: its place, the cause, and a hint."""

from collections.abc import Iterable, Mapping

from escapement.errors import CheckpointError, SessionError
from escapement.event import ErrorEvent, Event
from escapement.machine.node import Node
from escapement.storage.store import Checkpoint


def make_unhandled_error(session_id: str, state_ids: Iterable[str], event: Event) -> SessionError:
    """Return the error for an error event without a transition.

    Args:
        session_id: The session.
        state_ids: The active states.
        event: The event; the exception behind it, if known, becomes the cause.
    """
    data = event.data
    detail = data.get("message", data) if isinstance(data, Mapping) else data
    message = (
        f"session {session_id!r}, state {', '.join(state_ids)}:"
        f" {detail} (no transition handles {event.name})"
    )
    error = SessionError(message)
    error.__cause__ = event.cause if isinstance(event, ErrorEvent) else None
    return error


def make_wedged_error(session_id: str, after_s: float, waiting: Iterable[Node]) -> SessionError:
    """Return the error for a session without progress.

    Args:
        session_id: The session.
        after_s: The time without progress.
        waiting: The states whose conversations the session waits for.
    """
    states = ", ".join(repr(node.id) for node in waiting)
    message = (
        f"session {session_id!r} is wedged: for {after_s:g} s neither an event nor a token has come"
        f" from the conversation of state {states}; check whether the backend still answers"
    )
    return SessionError(message)


def make_misplaced_error(session_id: str, record: Checkpoint, chart_id: str) -> CheckpointError:
    """Return the error for a record whose states the chart does not have.

    Args:
        session_id: The session.
        record: The session's checkpoint.
        chart_id: The chart to resume it in.
    """
    states = ", ".join(record.configuration)
    message = (
        f"{record.source}: session {session_id!r} was in chart {record.chart_id!r}, state {states},"
        f" which is no state of chart {chart_id!r}; run it with its own chart, or under another"
        " session id"
    )
    return CheckpointError(message)
