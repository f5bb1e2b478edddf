"""The loop with a virtual clock: its jumps and its refusals."""

import asyncio
import math
from collections.abc import Iterator

import pytest

from harness.probe.virtual_clock import START_S, VirtualClockError, VirtualClockLoop


@pytest.fixture
def jumping() -> Iterator[VirtualClockLoop]:
    """Provide a loop."""
    loop = VirtualClockLoop()
    yield loop
    loop.close()


def test_virtual_clock_jumps_to_the_next_timer(jumping: VirtualClockLoop) -> None:
    """An hour passes at once; timers keep their order."""
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, jumping.time()))

    jumping.call_at(START_S + 3600, note, "later")
    jumping.call_at(START_S + 0.25, note, "sooner")
    jumping.run_until_complete(asyncio.sleep(3601))
    assert seen == [("sooner", 0.25), ("later", 3600.0)]


def test_virtual_clock_stands_still_while_there_is_work(jumping: VirtualClockLoop) -> None:
    """Turns of the loop take no time."""

    async def turn_often() -> float:
        for _ in range(100):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert jumping.run_until_complete(turn_often()) == START_S


@pytest.mark.parametrize("now_s", [0.0, 1.0, 1e9, 2.0**60])
def test_virtual_clock_always_moves(jumping: VirtualClockLoop, now_s: float) -> None:
    """A wait below the distance of two floats moves the clock by that distance."""
    jumping.jump(now_s)
    before_s = jumping.time()
    jumping.jump(5e-324)
    assert jumping.time() == math.nextafter(before_s, math.inf)


def test_virtual_clock_does_not_move_for_a_wait_of_zero(jumping: VirtualClockLoop) -> None:
    """A ready callback takes no time."""
    jumping.jump(0)
    assert jumping.time() == START_S


def test_virtual_clock_ends_a_loop_that_would_wait_for_ever(jumping: VirtualClockLoop) -> None:
    """Without a timer the clock cannot advance."""
    with pytest.raises(VirtualClockError, match="nothing is scheduled"):
        jumping.run_until_complete(jumping.create_future())


def test_virtual_clock_refuses_an_executor(jumping: VirtualClockLoop) -> None:
    """A thread would work while no time passes."""

    async def leave_it_to_a_thread() -> None:
        await asyncio.get_running_loop().run_in_executor(None, print)

    with pytest.raises(VirtualClockError, match="print is to run in an executor"):
        jumping.run_until_complete(leave_it_to_a_thread())


def test_virtual_clock_refuses_a_call_from_another_thread(jumping: VirtualClockLoop) -> None:
    """Only the loop's own tasks may schedule calls."""
    with pytest.raises(VirtualClockError, match="print is to be called on the loop"):
        jumping.call_soon_threadsafe(print)


def test_virtual_clock_ends_a_run_that_swallowed_a_refusal(jumping: VirtualClockLoop) -> None:
    """A session that catches a refusal would wait for ever, so the loop ends."""

    async def swallow() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(VirtualClockError):
            loop.call_soon_threadsafe(print)
        await asyncio.sleep(1)

    with pytest.raises(VirtualClockError, match="print is to be called"):
        jumping.run_until_complete(swallow())


def test_virtual_clock_names_a_callable_object_by_its_class(jumping: VirtualClockLoop) -> None:
    """A refusal contains no address, so it is the same in every run."""

    class Callback:
        def __call__(self) -> None:
            """Do nothing."""

    with pytest.raises(VirtualClockError, match=r"^[\w.<>]*Callback is to be called"):
        jumping.call_soon_threadsafe(Callback())
