"""Cancels sessions from outside, between two of their events."""

from collections.abc import Callable


class CancelToken:
    """A request to end sessions; several sessions and threads may share it.

    A cancelled session ends with the status "aborted". Its last checkpoint holds the pending
    events, so that running the session again resumes it.
    """

    __slots__ = ("_is_cancelled", "_listeners")

    def __init__(self) -> None:
        self._is_cancelled = False
        self._listeners: dict[object, Callable[[], None]] = {}

    @property
    def is_cancelled(self) -> bool:
        """True after `cancel` was called."""
        return self._is_cancelled

    def cancel(self) -> None:
        """End the sessions; repeated calls have no further effect."""
        self._is_cancelled = True
        # The interpreter makes this copy in one step: sessions may end meanwhile.
        for listener in tuple(self._listeners.values()):
            listener()

    def tell(self, who: object, listener: Callable[[], None]) -> None:
        """Register a listener.

        Args:
            who: The key of the listener for `forget`.
            listener: Called from the thread that cancels.
        """
        self._listeners[who] = listener

    def forget(self, who: object) -> None:
        """Remove a listener."""
        self._listeners.pop(who, None)
