"""Cancelling a session from outside, at the next boundary between two of its events."""

from collections.abc import Callable


class CancelToken:
    """Asks the sessions that were given it to end; may be shared by many, and used from any thread.

    A session that ends so has the status "aborted". Its last checkpoint holds what was pending,
    so that the same command goes on from there.
    """

    __slots__ = ("_is_cancelled", "_listeners")

    def __init__(self) -> None:
        self._is_cancelled = False
        self._listeners: dict[object, Callable[[], None]] = {}

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Ask; to ask twice changes nothing."""
        self._is_cancelled = True
        # The copy is made in one step of the interpreter: sessions may end meanwhile.
        for listener in tuple(self._listeners.values()):
            listener()

    def tell(self, who: object, listener: Callable[[], None]) -> None:
        """Have a listener called from whichever thread cancels, until it is forgotten."""
        self._listeners[who] = listener

    def forget(self, who: object) -> None:
        """Don't call somebody's listener any more."""
        self._listeners.pop(who, None)
