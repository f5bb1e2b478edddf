"""The pump of a session on a loop: an arrival is handled where it happens."""

import asyncio

from escapement.session.session import Session
from escapement.session.waiting import Watch


class Drain:
    """Works off a session's queue in the call that says something has arrived.

    The session's own task waits for the end alone, so an event costs no switch to it, and sessions
    whose replies come together do not move in step from one stage to the next.

    Args:
        loop: All calls are made on it.
    """

    __slots__ = ("_end", "_is_busy", "_loop", "_session", "_timer", "_watch")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._session: Session | None = None
        self._end: asyncio.Future[None] = loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._watch: Watch | None = None
        self._is_busy = False

    def open(self, session: Session) -> "asyncio.Future[None]":
        """Handle what there is, and from now on what arrives.

        Returns:
            Done when the session is over, or with what handling an event has raised.
        """
        self._session = session
        self._watch = Watch.of(self._loop, session.look_each_s)
        self._watch.add(self)
        self()
        return self._end

    def close(self) -> None:
        """Handle nothing any more."""
        self._session = None
        if self._watch is not None:
            self._watch.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._end.done() and not self._end.cancelled():
            self._end.exception()  # seen, even by a task that was cancelled in the same moment

    def __call__(self) -> None:
        """Handle all events that wait; does nothing when it is what handles them already."""
        session = self._session
        if self._is_busy or session is None or self._end.done():
            return
        self._is_busy = True
        try:
            while not session.over:
                if not session.handle_next():
                    if session.next_due_s is not None:
                        self._wait_until(session.next_due_s)
                    return
            session.close()  # here and now, so that its workers end with what they are doing
        except BaseException as error:  # noqa: BLE001  the session's own task raises it
            self._end.set_exception(error)
        else:
            self._end.set_result(None)
        finally:
            self._is_busy = False

    def look(self) -> None:
        """Have the session notice that nothing moves."""
        if self._session is not None and not self._end.done():
            try:
                self._session.look()
            except BaseException as error:  # noqa: BLE001  the session's own task raises it
                self._end.set_exception(error)

    def _wait_until(self, due_s: float) -> None:
        """Handle what falls due then, by the loop's clock."""
        if self._timer is not None:
            if self._timer.when() == due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._fall_due)

    def _fall_due(self) -> None:
        self._timer = None
        self()
