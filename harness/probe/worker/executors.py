"""The two executors of sessions: an asyncio task or an OS thread each."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.probe.worker.arms import Arm
from harness.probe.worker.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Span:
    """The time from the common start to the end of the last session.

    Args:
        wall_ms: Time by the clock that the sessions went by.
        cpu_s: Processor time of this process.
    """

    wall_ms: float
    cpu_s: float


def run_in_tasks(
    arm: Arm,
    indices: range,
    ledger: Ledger,
    start_s: float,
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> Span:
    """Run every session as a task of one event loop.

    Tasks and threads that a session leaves behind are not waited for: the run is over when its last session is.

    Args:
        arm: What a session does.
        indices: The sessions.
        ledger: Where their ends are recorded.
        start_s: When all of them are to start, by the clock of the loop.
        make_loop: Makes the loop; one that asyncio makes goes by the monotonic clock.
    """
    loop = make_loop()
    try:
        return loop.run_until_complete(_drive(arm, indices, ledger, start_s))
    finally:
        loop.close()


async def _drive(arm: Arm, indices: range, ledger: Ledger, start_s: float) -> Span:
    cpu_start_s = time.process_time()
    loop = asyncio.get_running_loop()

    async def session(index: int) -> None:
        try:
            await arm.arun(index)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (a failed session is a result)
            ledger.record_error(error)
        else:
            ledger.record_ok((loop.time() - start_s) * 1000)

    # All at once: sessions that are let in as the loop finds time would never all be there.
    for task in [loop.create_task(session(index)) for index in indices]:
        await task
    return Span((loop.time() - start_s) * 1000, time.process_time() - cpu_start_s)


def run_in_threads(arm: Arm, indices: range, ledger: Ledger, start_s: float) -> Span:
    """Run every session on a thread of its own.

    A thread that cannot be started is a failed session.

    Args:
        arm: What a session does.
        indices: The sessions.
        ledger: Where their ends are recorded.
        start_s: When all of them are to start, in monotonic seconds.
    """
    cpu_start_s = time.process_time()

    def session(index: int) -> None:
        try:
            arm.run(index)
        except Exception as error:  # noqa: BLE001 (a failed session is a result)
            ledger.record_error(error)
        else:
            ledger.record_ok((time.monotonic() - start_s) * 1000)

    started: list[threading.Thread] = []
    for index in indices:
        thread = threading.Thread(target=session, args=(index,), daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            ledger.record_error(error)
        else:
            started.append(thread)
    for thread in started:
        thread.join()
    return Span((time.monotonic() - start_s) * 1000, time.process_time() - cpu_start_s)
