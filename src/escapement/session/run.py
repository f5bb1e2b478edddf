"""The entry points `run` and `arun`, and the choice of workers."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, cast

from escapement.cancel import CancelToken
from escapement.chart import Chart
from escapement.llm import AsyncLLMBackend, LLMBackend
from escapement.session.loop_pump import LoopPump
from escapement.session.progress import ProgressMonitor
from escapement.session.session import Session
from escapement.session.signals import ThreadClock, ThreadPoll, ThreadSignal
from escapement.session.spec import SessionResult, SessionSpec
from escapement.session.tasks import TaskHost
from escapement.session.threads import LoopThreadHost, ThreadHost
from escapement.storage.store import Store

WEDGED_AFTER_S = 200.0


def run(  # noqa: PLR0913  the parts of a session, by name
    chart: Chart,
    *,
    session_id: str,
    llm: LLMBackend,
    store: Store,
    transcript: Path | None = None,
    data: Mapping[str, object] | None = None,
    poll_ms: int = 0,
    cancel: CancelToken | None = None,
    wedged_after_s: float = WEDGED_AFTER_S,
) -> SessionResult:
    """Run a session, and block until it ends.

    Its workers are threads, and no event loop is opened. With `ESCAPEMENT_WORKERS=virtual`,
    `arun` runs on a loop of its own instead.

    Args:
        chart: The definition of the session.
        session_id: The store's checkpoint with this id, if any, is resumed.
        llm: The backend for conversations.
        store: Saves a checkpoint after every event.
        transcript: A file for one JSON line per happening; None for no file.
        data: Overrides the chart's data in a new session; ignored in a resumed one.
        poll_ms: The time between polls for events; 0 to wake when an event arrives.
        cancel: Ends the session between two events.
        wedged_after_s: The time without progress after which the session fails.

    Raises:
        ChartError: The definition of the chart is wrong.
        CheckpointError: A checkpoint cannot be written, or does not belong to this chart.
        SessionError: No transition handles an `error` event, the session is wedged, or a worker
            cannot be started.
        ValueError: `poll_ms`, `wedged_after_s` or `ESCAPEMENT_WORKERS` is invalid.
    """
    spec = SessionSpec(chart, session_id, store, transcript, data or {}, cancel, wedged_after_s)
    poll_s = _to_seconds(poll_ms)
    if _choose_workers(llm, in_loop=False) == "virtual":
        return asyncio.run(
            arun(
                chart,
                session_id=session_id,
                llm=llm,
                store=store,
                transcript=transcript,
                data=data,
                poll_ms=poll_ms,
                cancel=cancel,
                wedged_after_s=wedged_after_s,
            )
        )
    signal = ThreadPoll(poll_s) if poll_s else ThreadSignal()
    host = ThreadHost(llm, signal.wake)
    session = Session(spec, host, signal.wake, ThreadClock())
    monitor = ProgressMonitor(session, session.check_interval_s, time.monotonic)
    failure: BaseException | None = None
    try:
        if cancel is not None:
            cancel.tell(session, signal.wake)
        session.start()
        while not session.is_over:
            if not session.handle_next():
                signal.wait(monitor.wait_s(session.next_due_s))
                monitor.check()
    except BaseException as error:
        failure = error
        raise
    finally:
        if cancel is not None:
            cancel.forget(session)
        host.join(session.close(failure))
    return session.result()


async def arun(  # noqa: PLR0913  the parts of a session, by name
    chart: Chart,
    *,
    session_id: str,
    llm: LLMBackend,
    store: Store,
    transcript: Path | None = None,
    data: Mapping[str, object] | None = None,
    poll_ms: int = 0,
    cancel: CancelToken | None = None,
    wedged_after_s: float = WEDGED_AFTER_S,
) -> SessionResult:
    """Run a session on the running event loop; cancelling this call ends its workers.

    Arguments, result and errors are those of `run`. Its workers are tasks of the loop if the
    backend can be awaited, else threads (`ESCAPEMENT_WORKERS=auto`). Checkpoints are written on
    the loop's thread, and so is the transcript unless its worker is a thread.
    """
    poll_s = _to_seconds(poll_ms)
    loop = asyncio.get_running_loop()
    pump = LoopPump(loop)
    on_arrival: Callable[[], None] = pump
    host = _choose_host(llm, loop)
    if isinstance(host, LoopThreadHost):
        on_arrival = partial(_call_from_any_thread, loop, pump)
    spec = SessionSpec(chart, session_id, store, transcript, data or {}, cancel, wedged_after_s)
    session = Session(spec, host, _ignore if poll_s else on_arrival, loop)
    del spec, transcript, data  # this frame lives as long as its session
    failure: BaseException | None = None
    try:
        if cancel is not None:
            cancel.tell(session, partial(_call_from_any_thread, loop, pump))
        session.start()
        await (_poll(session, poll_s, loop) if poll_s else pump.open(session))
    except BaseException as error:
        failure = error
        raise
    finally:
        pump.close()
        if cancel is not None:
            cancel.forget(session)
        await host.ajoin(session.close(failure))
    return session.result()


def _choose_workers(llm: LLMBackend, *, in_loop: bool) -> Literal["platform", "virtual"]:
    """Return the kind of workers for a session, by `ESCAPEMENT_WORKERS`.

    Args:
        llm: Virtual workers need a backend that can be awaited.
        in_loop: The session runs on an event loop.

    Raises:
        ValueError: The variable is invalid, or the backend cannot be awaited.
    """
    wanted = os.environ.get("ESCAPEMENT_WORKERS") or "auto"
    can_be_awaited = callable(getattr(llm, "astream", None))
    if wanted == "auto":
        return "virtual" if in_loop and can_be_awaited else "platform"
    if wanted == "platform":
        return "platform"
    if wanted != "virtual":
        message = f"ESCAPEMENT_WORKERS is {wanted!r}; allowed: platform, virtual, auto"
        raise ValueError(message)
    if not can_be_awaited:
        name = type(llm).__name__
        message = f"ESCAPEMENT_WORKERS=virtual needs a backend with astream(), but {name} has none"
        raise ValueError(message)
    return "virtual"


def _choose_host(llm: LLMBackend, loop: asyncio.AbstractEventLoop) -> TaskHost | LoopThreadHost:
    if _choose_workers(llm, in_loop=True) == "virtual":
        return TaskHost(cast("AsyncLLMBackend", llm), loop)
    return LoopThreadHost(llm, loop)


async def _poll(session: Session, poll_s: float, loop: asyncio.AbstractEventLoop) -> None:
    monitor = ProgressMonitor(session, session.check_interval_s, loop.time)
    while not session.is_over:
        if not session.handle_next():
            await asyncio.sleep(poll_s)
            monitor.check()


def _call_from_any_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(call)


def _ignore() -> None:
    """Do nothing on an arrival: the pump polls."""


def _to_seconds(poll_ms: int) -> float:
    if poll_ms < 0:
        message = f"poll_ms is {poll_ms}; use 0 to wake on arrival, or the time between polls"
        raise ValueError(message)
    return poll_ms / 1000
