"""How a run ends by a signal: the first one interrupts it, and nothing interrupts its ending."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class EndingSignals:
    """SIGINT, SIGTERM and SIGHUP, all of them as Ctrl-C, for as long as the block runs; one that is ignored stays so.

    The first raises KeyboardInterrupt, unless the run is ending anyway. From then on they are answered and otherwise let pass; one that came while a run
    ended by itself raises after its ending.

    Args:
        say: Is told why nothing happens at once.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._came = False
        self._is_ending = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Take them over."""
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give them back.

        Raises:
            KeyboardInterrupt: One came while the run ended by itself.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as it was given
        if self._came and error is None:
            raise KeyboardInterrupt

    def end(self) -> None:
        """Let nothing interrupt what is left to do."""
        self._is_ending = True

    def _take(self, number: int, _frame: FrameType | None) -> None:
        is_first, self._came = not self._came, True
        if is_first and not self._is_ending:
            self._is_ending = True
            raise KeyboardInterrupt
        name = signal.Signals(number).name
        self._say(f"{name}: this is ending already, and first removes what it made")
