"""Signals that end a run: the first interrupts it, and none interrupts its cleanup."""

import signal
from collections.abc import Callable
from types import FrameType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndingSignals:
    """SIGINT, SIGTERM and SIGHUP during a block, each handled like Ctrl-C.

    The first signal raises KeyboardInterrupt, unless the cleanup has started. Later ones are reported and otherwise ignored. A
    signal during the cleanup of a run that ended by itself raises after the cleanup. A signal that was ignored stays ignored.

    Args:
        say: Called with the reason why a signal does not end the run at once.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._has_come = self._is_ending = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        """Restore the handlers.

        Raises:
            KeyboardInterrupt: A signal came while the run ended by itself.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # it came from signal()
        if self._has_come and error is None:
            raise KeyboardInterrupt

    def end(self) -> None:
        """Mark the start of the cleanup."""
        self._is_ending = True

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        interrupts = not self._has_come and not self._is_ending
        self._has_come = self._is_ending = True
        if interrupts:
            raise KeyboardInterrupt
        self._say(
            f"{signal.Signals(number).name}: already ending; what the run made is removed first"
        )
