"""Run all sessions at once: one asyncio task or one OS thread per session."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.probe.worker.arms import Arm
from harness.probe.worker.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The time from the common start to the end of the last session.

    Args:
        wall_ms: By the clock of the sessions.
        cpu_s: CPU time of this process.
    """

    wall_ms: float
    cpu_s: float


def run_in_tasks(
    arm: Arm,
    indices: range,
    recorder: Recorder,
    start_s: float,
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> Elapsed:
    """Run every session as a task of one event loop.

    The run ends with its last session; it does not wait for tasks and threads that a session
    leaves behind.

    Args:
        arm: Runs one session.
        indices: The sessions.
        recorder: Records their ends.
        start_s: Common start, by the clock of the loop.
        make_loop: Called for the loop; asyncio's own uses the monotonic clock.
    """
    loop = make_loop()
    try:
        return loop.run_until_complete(_drive(arm, indices, recorder, start_s))
    finally:
        loop.close()


async def _drive(arm: Arm, indices: range, recorder: Recorder, start_s: float) -> Elapsed:
    cpu_start_s = time.process_time()
    loop = asyncio.get_running_loop()

    async def session(index: int) -> None:
        try:
            await arm.arun(index)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (a failed session is a result)
            recorder.record_error(error)
        else:
            recorder.record_ok((loop.time() - start_s) * 1000)

    # All tasks first: sessions that start one by one would never all run at the same time.
    for task in [loop.create_task(session(index)) for index in indices]:
        await task
    return Elapsed((loop.time() - start_s) * 1000, time.process_time() - cpu_start_s)


def run_in_threads(arm: Arm, indices: range, recorder: Recorder, start_s: float) -> Elapsed:
    """Run every session on its own thread.

    A thread that cannot start counts as a failed session.

    Args:
        arm: Runs one session.
        indices: The sessions.
        recorder: Records their ends.
        start_s: Common start, in monotonic seconds.
    """
    cpu_start_s = time.process_time()

    def session(index: int) -> None:
        try:
            arm.run(index)
        except Exception as error:  # noqa: BLE001 (a failed session is a result)
            recorder.record_error(error)
        else:
            recorder.record_ok((time.monotonic() - start_s) * 1000)

    started: list[threading.Thread] = []
    for index in indices:
        thread = threading.Thread(target=session, args=(index,), daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            recorder.record_error(error)
        else:
            started.append(thread)
    for thread in started:
        thread.join()
    return Elapsed((time.monotonic() - start_s) * 1000, time.process_time() - cpu_start_s)
