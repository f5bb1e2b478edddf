"""An event loop whose clock jumps to the next timer instead of waiting."""

import asyncio
import math
import selectors
from contextvars import Context
from typing import Any, NoReturn

START_S = 0.0  # what such a loop's clock says when it is made


class VirtualClockError(Exception):
    """Code on the loop needs real time or another thread."""


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop that goes by a time of its own.

    It holds for tasks alone: a thread would work while no time passes. So an executor and a call from another thread are refused. A
    refusal ends the loop too, because a thread that is refused would let its session wait for ever.

    It asks the kernel what is ready as often as a real loop does, so that a turn of the loop costs the same system calls.

    Raises:
        VirtualClockError: Something was refused, or nothing is scheduled and the loop would wait for ever.
    """

    def __init__(self) -> None:
        self._now_s = START_S
        self._refusal: VirtualClockError | None = None
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the loop's own time in seconds."""
        return self._now_s

    def jump(self, by_s: float | None) -> None:
        """Let time pass, always forward.

        Args:
            by_s: Until the next timer, where there is one.
        """
        if self._refusal is not None:
            raise self._refusal
        if by_s is None:
            msg = "nothing is scheduled: under the virtual clock the loop would wait for ever"
            raise VirtualClockError(msg)
        if by_s > 0:
            # a wait that is less than the distance of two floats would not move the clock, and never end
            self._now_s = max(self._now_s + by_s, math.nextafter(self._now_s, math.inf))

    def run_in_executor(self, executor: object, func: object, *args: object) -> Any:  # noqa: ANN401 (as the base has it)
        """Refuse."""
        del executor, args
        self._refuse(f"{_name(func)} is to run in an executor")

    def call_soon_threadsafe(
        self, callback: object, *args: object, context: Context | None = None
    ) -> NoReturn:
        """Refuse: on the loop's own thread there is `call_soon`."""
        del args, context
        self._refuse(f"{_name(callback)} is to be called on the loop from elsewhere")

    def _refuse(self, what: str) -> NoReturn:
        self._refusal = VirtualClockError(f"{what}, which the virtual clock does not allow")
        raise self._refusal


def _name(function: object) -> str:
    """Return what to call a function: the same in every run, so without its address."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


class _JumpingSelector(selectors.DefaultSelector):
    """Has the loop's clock jump by as much as the loop would wait."""

    def __init__(self, loop: VirtualClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now, and jump if that is nothing."""
        ready = super().select(0)
        if not ready:
            self._loop.jump(timeout)
        return ready
