"""Delayed events: in order, cancelled, and resumed in another process."""

import asyncio
from typing import cast

import pytest

from escapement import (
    Cancel,
    Chart,
    Checkpoint,
    Conversation,
    Event,
    FileBackedStore,
    Final,
    MemoryStore,
    Send,
    State,
    Timer,
    Transition,
    arun,
    run,
)
from escapement.machine.macrostep import Data
from escapement.session.timers import Timers
from escapement.testing import JumpingLoop, ScriptedLLM, call, run_jumping
from tests.unit.escapement.scenes import Mode, drive, every_mode

NO_LLM = ScriptedLLM([])


def note(data: Data, event: Event) -> Data:
    """Log an event's name."""
    return {"log": (*cast("tuple[str, ...]", data["log"]), event.name)}


def waiting(*sends: Send | Cancel, ends_with: str = "end") -> Chart:
    """Return a chart that sends events at its start, logs them, and ends with one."""
    wait = State(
        "wait",
        on_entry=sends,
        transitions=(
            Transition(ends_with, "over", actions=(note,)),
            Transition("*", actions=(note,)),
        ),
    )
    return Chart("waiting", "wait", (wait, Final("over")), {"log": ()})


def play(chart: Chart, store: MemoryStore | FileBackedStore | None = None) -> tuple[Data, float]:
    """Run a chart on a jumping loop; return its data and its duration in seconds."""

    async def main() -> tuple[Data, float]:
        kept = MemoryStore() if store is None else store
        result = await arun(chart, session_id="s", llm=NO_LLM, store=kept)
        assert result.status == "done"
        return result.data, asyncio.get_running_loop().time()

    return run_jumping(main())


@every_mode
def test_delayed_events_arrive_in_order_of_due_time(mode: Mode) -> None:
    """Events arrive in order of due time, not of sending, in every mode."""
    chart = waiting(Send("end", delay_ms=3), Send("late", delay_ms=2), Send("soon", delay_ms=1))
    assert drive(mode, chart, NO_LLM).data["log"] == ("soon", "late", "end")


@pytest.mark.parametrize("poll_ms", [0, 400])
def test_delay_is_exact_or_ends_with_the_next_poll(poll_ms: int) -> None:
    """A delay of a day takes a day, and ends with the next poll if there are polls."""
    chart = waiting(Send("soon", delay_ms=500), Send("end", delay_ms=86_400_100))

    async def main() -> float:
        await arun(chart, session_id="s", llm=NO_LLM, store=MemoryStore(), poll_ms=poll_ms)
        return asyncio.get_running_loop().time()

    assert run_jumping(main()) == pytest.approx(86_400.4 if poll_ms else 86_400.1)


def test_events_due_at_the_same_time_arrive_in_order_of_sending() -> None:
    """Equal delays keep the order of execution; events without a delay are first."""
    sends = [Send(f"e{n}", delay_ms=1000) for n in range(5)]
    data, took_s = play(waiting(*sends, Send("at-once"), Send("end", delay_ms=1000)))
    assert data["log"] == ("at-once", "e0", "e1", "e2", "e3", "e4", "end")
    assert took_s == pytest.approx(1.0)


def test_cancelled_event_never_arrives() -> None:
    """`Cancel` removes all delayed events with an id, and no others (SCXML 6.3)."""
    data, _ = play(
        waiting(
            Send("one", delay_ms=10, id="x"),
            Send("two", delay_ms=20, id="x"),
            Send("other", delay_ms=30, id="y"),
            Send("end", delay_ms=40),
            Cancel("x"),
            Cancel("unknown"),
        )
    )
    assert data["log"] == ("other", "end")


def test_later_timer_may_be_due_first() -> None:
    """The pump waits for the next timer, also when that changes."""
    wait = State(
        "wait",
        on_entry=(Send("slow", delay_ms=60_000), Send("kick", delay_ms=10_000)),
        transitions=(
            Transition("kick", actions=(note, Send("fast", delay_ms=1_000))),
            Transition("fast", actions=(note,)),
            Transition("slow", "over", actions=(note,)),
        ),
    )
    chart = Chart("c", "wait", (wait, Final("over")), {"log": ()})
    data, took_s = play(chart)
    assert data["log"] == ("kick", "fast", "slow")
    assert took_s == pytest.approx(60.0)


def test_event_during_the_wait_for_a_timer_may_start_an_earlier_one() -> None:
    """The pump wakes for the earlier timer first."""
    wait = State(
        "wait",
        on_entry=(Send("slow", delay_ms=60_000),),
        conversation=Conversation("talk", lambda _: "", events=("go",)),
        transitions=(
            Transition("go", actions=(note, Send("fast", delay_ms=1_000))),
            Transition("slow", "over", actions=(note,)),
            Transition("*", actions=(note,)),
        ),
    )
    chart = Chart("c", "wait", (wait, Final("over")), {"log": ()})
    llm = ScriptedLLM([call("go"), "bye"])
    result = run_jumping(arun(chart, session_id="s", llm=llm, store=MemoryStore()))
    assert result.data["log"] == ("go", "done.invoke.talk", "fast", "slow")


def test_session_with_a_timer_is_neither_idle_nor_wedged() -> None:
    """A session waits for a timer of any delay."""
    _, took_s = play(waiting(Send("end", delay_ms=10**9)))
    assert took_s == pytest.approx(10**6)


def test_checkpoint_holds_the_waiting_timers() -> None:
    """Each checkpoint holds the pending timers, the next first, by wall time."""
    store = MemoryStore()
    saved: list[Checkpoint] = []

    class Recorder(MemoryStore):
        def save(self, session_id: str, record: Checkpoint) -> None:
            saved.append(record)
            store.save(session_id, record)

    sends = (Send("end", {"n": 1}, delay_ms=7_200_000, id="x"), Send("soon", delay_ms=1000))
    play(waiting(*sends), Recorder())
    assert [[timer.event.name for timer in record.timers] for record in saved] == [
        ["soon", "end"],
        ["end"],
        [],
    ]
    (end,) = saved[1].timers
    assert (end.event, end.id) == (Event("end", {"n": 1}), "x")
    assert end.due_s == saved[0].timers[1].due_s


def test_resumed_session_waits_for_the_rest_of_a_delay() -> None:
    """Timers overdue by wall time are due at once, in order; others keep their rest."""
    wall_s, loop = 1_000_000.0, JumpingLoop()
    loop.jump(50)
    timers = Timers(loop, lambda: wall_s)
    timers.rearm(
        (
            Timer(Event("later"), wall_s + 30),
            Timer(Event("second"), wall_s - 10),
            Timer(Event("first"), wall_s - 3600),
        )
    )
    assert [event.name for event in timers.take_due()] == ["first", "second"]
    assert timers.next_due_s == 80
    assert [timer.event.name for timer in timers.pending()] == ["later"]
    loop.close()


@every_mode
def test_killed_session_resumes_with_its_timers(mode: Mode) -> None:
    """Overdue timers arrive at once, in order, after the pending events."""
    store = MemoryStore()
    timers = (Timer(Event("second"), 20.0), Timer(Event("first"), 10.0), Timer(Event("end"), 30.0))
    record = Checkpoint("waiting", ("wait",), {"log": ()}, (Event("pending"),), timers=timers)
    store.save("s", record)
    result = drive(mode, waiting(), NO_LLM, store)
    assert (result.status, result.data["log"]) == ("done", ("pending", "first", "second", "end"))


def test_blocking_session_waits_for_its_timer() -> None:
    """`run` handles a delayed event without another event to wake it."""
    result = run(waiting(Send("end", delay_ms=1)), session_id="s", llm=NO_LLM, store=MemoryStore())
    assert result.data["log"] == ("end",)
