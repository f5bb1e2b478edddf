"""The two pumps: `run` drives a session on the calling thread, `arun` on an event loop."""

from collections.abc import Mapping
from pathlib import Path

from escapement.chart import Chart
from escapement.inbox import LoopPoll, LoopSignal, ThreadPoll, ThreadSignal
from escapement.llm import LLMBackend
from escapement.session import Session, SessionResult, Setup
from escapement.store import Store


def run(  # noqa: PLR0913  a session's parts, by name
    chart: Chart,
    *,
    session_id: str,
    llm: LLMBackend,
    store: Store,
    transcript: Path | None = None,
    data: Mapping[str, object] | None = None,
    poll_ms: int = 0,
) -> SessionResult:
    """Run a session to its end and block until then; no event loop is opened.

    Args:
        chart: What the session runs.
        session_id: A session that the store knows goes on from its last checkpoint.
        llm: Holds the conversations.
        store: Keeps a checkpoint after every event.
        transcript: A file that gets a line of JSON for everything that happens; none for no file.
        data: Overrides the chart's data in a new session; a resumed one has its own.
        poll_ms: 0 to wake when an event arrives, else look each so many milliseconds.

    Raises:
        ChartError: The chart's definition is wrong.
        CheckpointError: A checkpoint can't be written, or isn't one of this chart.
        SessionError: An `error` event is not handled, or a worker can't be started.
    """
    arrival = ThreadPoll(poll_ms) if poll_ms else ThreadSignal()
    setup = Setup(session_id, llm, store, transcript, data or {})
    session = Session(chart, setup, arrived=arrival.wake, ended=arrival.wake)
    failure: BaseException | None = None
    try:
        session.start()
        while not session.over:
            if not session.handle_next():
                arrival.wait()
    except BaseException as error:
        failure = error
        raise
    finally:
        for worker in session.close(failure):
            worker.join()
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
) -> SessionResult:
    """Run a session to its end on the running event loop; cancelling it ends its workers.

    The arguments, the result and the errors are those of `run`. Checkpoints are written on the
    loop's thread.
    """
    ending = LoopSignal()  # no part of what `poll_ms` slows down
    arrival = LoopPoll(poll_ms) if poll_ms else ending
    setup = Setup(session_id, llm, store, transcript, data or {})
    session = Session(chart, setup, arrived=arrival.wake, ended=ending.wake)
    failure: BaseException | None = None
    try:
        session.start()
        while not session.over:
            if not session.handle_next():
                await arrival.wait()
    except BaseException as error:
        failure = error
        raise
    finally:
        for worker in session.close(failure):
            while not worker.ended:
                await ending.wait()
            worker.join()
    return session.result()
