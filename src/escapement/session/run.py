"""Where the workers of a session run: chosen once, by the environment and by what the backend can do."""

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
from escapement.session.drain import Drain
from escapement.session.session import Session
from escapement.session.setup import SessionResult, Setup
from escapement.session.tasks import Tasks
from escapement.session.threads import LoopThreads, Threads
from escapement.session.waiting import Lookout, ThreadClock, ThreadPoll, ThreadSignal
from escapement.storage.store import Store

Kind = Literal["platform", "virtual"]
WEDGED_AFTER_S = 200.0


def choose_kind(llm: LLMBackend, *, in_loop: bool) -> Kind:
    """Choose where a session's workers run, by `ESCAPEMENT_WORKERS`.

    Args:
        llm: Virtual workers need one that can be awaited.
        in_loop: The session runs on an event loop already.

    Raises:
        ValueError: The variable is none of its values, or asks for what the backend can't do.
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
        message = f"ESCAPEMENT_WORKERS=virtual needs a backend with astream(), and {name} has none"
        raise ValueError(message)
    return "virtual"


def run(  # noqa: PLR0913  a session's parts, by name
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
    """Run a session to its end and block until then.

    Its workers are threads, and no event loop is opened, unless `ESCAPEMENT_WORKERS=virtual` asks for
    tasks: then `arun` runs on a loop of its own.

    Args:
        chart: What the session runs.
        session_id: A session that the store knows goes on from its last checkpoint.
        llm: Holds the conversations.
        store: Keeps a checkpoint after every event.
        transcript: A file that gets a line of JSON for everything that happens; none for no file.
        data: Overrides the chart's data in a new session; a resumed one has its own.
        poll_ms: 0 to wake when an event arrives, else look each so many milliseconds.
        cancel: Ends the session at the next boundary between two events.
        wedged_after_s: How long a session may wait for conversations in which nothing moves.

    Raises:
        ChartError: The chart's definition is wrong.
        CheckpointError: A checkpoint can't be written, or isn't one of this chart.
        SessionError: An `error` event is not handled, the session is wedged, or a worker can't be
            started.
        ValueError: `poll_ms`, `wedged_after_s` or `ESCAPEMENT_WORKERS` is none that can be used.
    """
    setup = Setup(chart, session_id, store, transcript, data or {}, cancel, wedged_after_s)
    poll_s = _seconds_of(poll_ms)
    if choose_kind(llm, in_loop=False) == "virtual":
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
    arrival = ThreadPoll(poll_s) if poll_s else ThreadSignal()
    site = Threads(llm, arrival.wake)
    session = Session(setup, site, arrival.wake, ThreadClock())
    lookout = Lookout(session, session.look_each_s, time.monotonic)
    failure: BaseException | None = None
    try:
        if cancel is not None:
            cancel.tell(session, arrival.wake)
        session.start()
        while not session.over:
            if not session.handle_next():
                arrival.wait(lookout.wait_s(session.next_due_s))
                lookout.look()
    except BaseException as error:
        failure = error
        raise
    finally:
        if cancel is not None:
            cancel.forget(session)
        site.join(session.close(failure))
    return session.result()


async def arun(  # noqa: PLR0913  a session's parts, by name
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
    """Run a session to its end on the running event loop; cancelling it ends its workers.

    The arguments, the result and the errors are those of `run`. Its workers are tasks of the loop if
    the backend can be awaited, else threads (`ESCAPEMENT_WORKERS=auto`). Files are written on the
    loop's thread, but for a transcript that has a thread of its own.
    """
    poll_s = _seconds_of(poll_ms)
    loop = asyncio.get_running_loop()
    drain = Drain(loop)
    arrived: Callable[[], None] = drain
    site = _choose_site(llm, loop)
    if isinstance(site, LoopThreads):
        arrived = partial(_call_from_any_thread, loop, drain)
    setup = Setup(chart, session_id, store, transcript, data or {}, cancel, wedged_after_s)
    session = Session(setup, site, _ignore if poll_s else arrived, loop)
    del setup, transcript, data  # this frame lives as long as its session
    failure: BaseException | None = None
    try:
        if cancel is not None:
            cancel.tell(session, partial(_call_from_any_thread, loop, drain))
        session.start()
        await (_poll(session, poll_s, loop) if poll_s else drain.open(session))
    except BaseException as error:
        failure = error
        raise
    finally:
        drain.close()
        if cancel is not None:
            cancel.forget(session)
        await site.ajoin(session.close(failure))
    return session.result()


def _choose_site(llm: LLMBackend, loop: asyncio.AbstractEventLoop) -> Tasks | LoopThreads:
    if choose_kind(llm, in_loop=True) == "virtual":
        return Tasks(cast("AsyncLLMBackend", llm), loop)
    return LoopThreads(llm, loop)


async def _poll(session: Session, poll_s: float, loop: asyncio.AbstractEventLoop) -> None:
    lookout = Lookout(session, session.look_each_s, loop.time)
    while not session.over:
        if not session.handle_next():
            await asyncio.sleep(poll_s)
            lookout.look()


def _call_from_any_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody looks any more
        loop.call_soon_threadsafe(call)


def _ignore() -> None:
    """Stand in for a wake-up: the pump looks by itself."""


def _seconds_of(poll_ms: int) -> float:
    if poll_ms < 0:
        message = f"poll_ms is {poll_ms}; 0 wakes on arrival, more is the time between looks"
        raise ValueError(message)
    return poll_ms / 1000
