"""Fixtures of the probe's tests: a loop with a virtual clock and settings."""

import asyncio
import os
import selectors
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from harness.probe.mock.deliveries import Deliveries
from harness.probe.settings import Settings, read_settings
from harness.probe.shared_counters import SharedCounters


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock moves by its own jumps and by hand only.

    Attributes:
        wait: Returns the duration of a wait in s, for the requested one.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.wait: Callable[[float], float] = float
        super().__init__(JumpingSelector(self))

    def time(self) -> float:
        """Return the time of this loop."""
        return self.now_s


class JumpingSelector(selectors.SelectSelector):
    """A selector that advances the loop's clock instead of waiting."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the ready descriptors after a jump."""
        assert timeout is not None, "the loop would wait for ever"
        self._loop.now_s += self._loop.wait(timeout)
        return super().select(0)


@pytest.fixture
def loop() -> Iterator[JumpingLoop]:
    """Provide the loop."""
    loop = JumpingLoop()
    yield loop
    loop.close()


@pytest.fixture
def advance(loop: JumpingLoop) -> Callable[[float], None]:
    """Provide a function that advances the loop's clock by some ms, as work would."""

    def move(by_ms: float) -> None:
        loop.now_s += by_ms / 1000

    return move


@pytest.fixture
def counters() -> SharedCounters:
    """Provide counters."""
    made, fd = SharedCounters.create()
    os.close(fd)
    return made


@pytest.fixture
def deliveries(counters: SharedCounters) -> Deliveries:
    """Provide a record of deliveries."""
    return Deliveries(counters)


@pytest.fixture
def make_settings() -> Callable[..., Settings]:
    """Provide a maker of settings: a small load with some changes."""

    def make(**changes: object) -> Settings:
        small = read_settings(["hand", "4", "2", "10", "3", "5"], {})
        return replace(small, **changes)  # type: ignore[arg-type]

    return make
