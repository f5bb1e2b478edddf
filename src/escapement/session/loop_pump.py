"""The pump on an event loop: handles each event in the call that posts it."""

import asyncio

from escapement.session.progress import LoopProgressMonitor
from escapement.session.session import Session


class LoopPump:
    """Handles all waiting events of a session when it is called.

    The session's own task waits only for the end. So an event costs no switch to that task, and
    sessions whose replies arrive together do not advance in lockstep.

    Args:
        loop: The loop that makes all calls.
    """

    __slots__ = ("_end", "_is_busy", "_loop", "_monitor", "_session", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._session: Session | None = None
        self._end: asyncio.Future[None] = loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._monitor: LoopProgressMonitor | None = None
        self._is_busy = False

    def open(self, session: Session) -> "asyncio.Future[None]":
        """Start to handle events.

        Returns:
            A future that is done when the session is over, or raises the error of an event.
        """
        self._session = session
        self._monitor = LoopProgressMonitor.of(self._loop, session.check_interval_s)
        self._monitor.add(self)
        self()
        return self._end

    def close(self) -> None:
        """Stop to handle events."""
        self._session = None
        if self._monitor is not None:
            self._monitor.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._end.done() and not self._end.cancelled():
            self._end.exception()  # retrieved, even if the session's task was just cancelled

    def __call__(self) -> None:
        """Handle all waiting events; a call from within a call does nothing."""
        session = self._session
        if self._is_busy or session is None or self._end.done():
            return
        self._is_busy = True
        try:
            while not session.is_over:
                if not session.handle_next():
                    if session.next_due_s is not None:
                        self._wait_until(session.next_due_s)
                    return
            session.close()  # at once, so that its workers end early
        except BaseException as error:  # noqa: BLE001  the session's own task raises it
            self._end.set_exception(error)
        else:
            self._end.set_result(None)
        finally:
            self._is_busy = False

    def check_progress(self) -> None:
        """Fail the session if it has made no progress for too long."""
        if self._session is not None and not self._end.done():
            try:
                self._session.check_progress()
            except BaseException as error:  # noqa: BLE001  the session's own task raises it
                self._end.set_exception(error)

    def _wait_until(self, due_s: float) -> None:
        """Handle events again at a time of the loop's clock."""
        if self._timer is not None:
            if self._timer.when() == due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._on_due)

    def _on_due(self) -> None:
        self._timer = None
        self()
