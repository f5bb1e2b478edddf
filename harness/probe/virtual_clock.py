"""An event loop whose clock jumps to the next timer instead of waiting."""

import asyncio
import math
import selectors
from contextvars import Context
from typing import Any, NoReturn

START_S = 0.0  # the clock of a new loop


class VirtualClockError(Exception):
    """Code on the loop needs real time or another thread."""


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop with a virtual clock, for tasks alone.

    Another thread would work while no time passes, so executors and calls from other threads
    are refused. A refusal also ends the loop: the refused session would wait for ever.

    The loop asks the kernel for ready descriptors as often as a real loop, so that a turn of
    the loop costs the same system calls.

    Raises:
        VirtualClockError: A call was refused, or the loop would wait for ever.
    """

    def __init__(self) -> None:
        self._now_s = START_S
        self._refusal: VirtualClockError | None = None
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the loop's own time in seconds."""
        return self._now_s

    def jump(self, by_s: float | None) -> None:
        """Advance the clock.

        Args:
            by_s: Time until the next timer; None without a timer.
        """
        if self._refusal is not None:
            raise self._refusal
        if by_s is None:
            msg = "nothing is scheduled: under the virtual clock the loop would wait for ever"
            raise VirtualClockError(msg)
        if by_s > 0:
            # a wait below the distance of two floats would leave the clock as it is, for ever
            self._now_s = max(self._now_s + by_s, math.nextafter(self._now_s, math.inf))

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:  # noqa: ANN401 (as the base has it)
        """Refuse: an executor is another thread."""
        del executor, args
        self._refuse(f"{_name(func)} is to run in an executor")

    def call_soon_threadsafe(
        self, callback: object, *args: object, context: Context | None = None
    ) -> NoReturn:
        """Refuse: code on the loop's own thread uses `call_soon`."""
        del args, context
        self._refuse(f"{_name(callback)} is to be called on the loop from another thread")

    def _refuse(self, what: str) -> NoReturn:
        self._refusal = VirtualClockError(f"{what}, which the virtual clock does not allow")
        raise self._refusal


def _name(function: object) -> str:
    """Return the name of a function without its address, which differs between runs."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that advances the loop's clock instead of waiting."""

    def __init__(self, loop: VirtualClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready descriptors; advance the clock if there are none."""
        ready = super().select(0)
        if not ready:
            self._loop.jump(timeout)
        return ready
