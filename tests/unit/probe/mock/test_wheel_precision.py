"""The wheel's punctuality, against an oracle for each stream alone."""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.mock.wheel import TimerWheel, slip_of
from harness.probe.settings import Settings
from harness.probe.shared_counters import SharedCounters
from harness.probe.supervisor.result import percentile_of_counts
from harness.probe.worker.arms import ARMS
from harness.probe.worker.executors import run_in_tasks
from harness.probe.worker.recorder import Recorder
from tests.unit.probe.conftest import JumpingLoop

Pacing = Literal["sleep", "server"]
Holds = list[tuple[float, float]]
Advance = Callable[[float], None]

TTFT_MS, TOKENS, TOK_MS = 40, 20, 7
STREAMS = 3000


@dataclass
class StreamRecord:
    """One stream: the times at which it joined, was served and ended, in ms."""

    joined_ms: float = math.nan
    came_ms: list[float] = field(default_factory=list)
    ended_ms: float = math.nan
    left_ms: float = math.inf


class Crowd:
    """A wheel and the record of the streams that join and leave it."""

    def __init__(self, loop: JumpingLoop, deliveries: Deliveries, pacing: Pacing) -> None:
        self.loop = loop
        self.start_s = loop.time()
        self.wheel = TimerWheel(
            loop,
            ttft_ms=TTFT_MS,
            tokens=TOKENS,
            tok_ms=TOK_MS,
            pacing=pacing,
            deliveries=deliveries,
        )
        self.streams: list[StreamRecord] = []

    def now_ms(self) -> float:
        """Return the time since the start of the wheel, to the nearest us."""
        return round((self.loop.time() - self.start_s) * 1000, 3)

    def at(self, when_ms: float, call: Callable[[], object]) -> None:
        """Schedule a call."""
        self.loop.call_at(self.start_s + when_ms / 1000, call)

    def plan(self, join_ms: float, leave_after_ms: float) -> None:
        """Schedule a stream: it joins, and leaves if it has not ended by then."""
        stream = StreamRecord()
        self.streams.append(stream)
        self.at(join_ms, partial(self._join, stream, leave_after_ms))

    def run_ms(self, duration_ms: float) -> None:
        """Run the loop for some time."""
        self.loop.run_until_complete(asyncio.sleep(duration_ms / 1000))

    def _join(self, stream: StreamRecord, leave_after_ms: float) -> None:
        stream.joined_ms = self.now_ms()
        waiting = self.wheel.join(lambda _: stream.came_ms.append(self.now_ms()))
        waiting.add_done_callback(lambda _: setattr(stream, "ended_ms", self.now_ms()))
        if leave_after_ms < math.inf:
            leave_ms = stream.joined_ms + leave_after_ms
            self.at(leave_ms, partial(self._leave, stream, waiting, leave_ms))

    def _leave(self, stream: StreamRecord, waiting: asyncio.Future[None], leave_ms: float) -> None:
        """Leave, except at the end of a hold, where the order of events is open."""
        if not waiting.done() and self.now_ms() == leave_ms:
            stream.left_ms = leave_ms
            self.wheel.leave(waiting)


@pytest.fixture(params=["sleep", "server"])
def pacing(request: pytest.FixtureRequest) -> Pacing:
    """Provide each of the two pacings."""
    return "server" if request.param == "server" else "sleep"


def expect(
    stream: StreamRecord, pacing: Pacing, holds: Holds
) -> tuple[list[float], list[int], float]:
    """Compute the schedule of one stream by itself.

    Returns:
        The times of its tokens, their lags in whole ms, and the time of its end; NaN if it
        leaves before.
    """
    came_ms: list[float] = []
    lags_ms: list[int] = []
    due_ms = float(math.ceil(stream.joined_ms) + TTFT_MS)
    for left in range(TOKENS, -1, -1):
        served_ms = next((end for start, end in holds if start <= due_ms < end), due_ms)
        if served_ms > stream.left_ms:
            return came_ms, lags_ms, math.nan
        if not left:
            return came_ms, lags_ms, served_ms
        lag_ms = served_ms - due_ms
        came_ms.append(served_ms)
        lags_ms.append(math.floor(lag_ms))
        due_ms += TOK_MS + (slip_of(lag_ms) if pacing == "sleep" else 0)
    raise AssertionError


def check(
    streams: list[StreamRecord], pacing: Pacing, holds: Holds, deliveries: Deliveries
) -> None:
    """Compare every stream and the histogram of lags with the oracle."""
    lags: Counter[int] = Counter()
    for stream in streams:
        came_ms, lags_ms, ended_ms = expect(stream, pacing, holds)
        assert stream.came_ms == came_ms
        assert stream.ended_ms == pytest.approx(ended_ms, nan_ok=True)
        lags.update(lags_ms)
    assert deliveries.lags == lags


def test_wheel_serves_every_token_in_its_tick(
    loop: JumpingLoop, deliveries: Deliveries, pacing: Pacing
) -> None:
    """Thousands of streams, a third of them cancelled, are served as if alone."""
    chance = random.Random(1)  # noqa: S311 (reproducible)
    crowd = Crowd(loop, deliveries, pacing)
    for number in range(STREAMS):
        leave_after_ms = chance.randrange(1, 200) + 0.1 if number % 3 == 0 else math.inf
        crowd.plan(chance.randrange(2000) + chance.choice([0, 0.5]), leave_after_ms)
    crowd.run_ms(3000)
    check(crowd.streams, pacing, [], deliveries)
    assert set(deliveries.lags) == {0}
    assert not crowd.wheel._batches
    assert not crowd.wheel._batch_of


@pytest.mark.parametrize("seed", range(4))
def test_wheel_that_is_blocked_serves_every_token_afterwards(
    loop: JumpingLoop, deliveries: Deliveries, advance: Advance, pacing: Pacing, seed: int
) -> None:
    """A token that is due in a hold comes at its end, with its lag."""
    chance = random.Random(seed)  # noqa: S311 (reproducible)
    crowd = Crowd(loop, deliveries, pacing)
    holds: Holds = []
    for number in range(40):
        start_ms = number * 50 + 0.75
        end_ms = start_ms + chance.choice([1, 2, 5, 12, 30])
        holds.append((start_ms, end_ms))
        crowd.at(start_ms, partial(advance, end_ms - start_ms))
    for number in range(300):
        leave_after_ms = chance.randrange(1, 200) + 0.1 if number % 5 == 0 else math.inf
        crowd.plan(chance.randrange(1500), leave_after_ms)
    crowd.run_ms(4000)
    check(crowd.streams, pacing, holds, deliveries)
    assert max(deliveries.lags) >= 12


def test_lag_p99_is_that_of_the_delayed_tokens(
    loop: JumpingLoop, deliveries: Deliveries, advance: Advance, pacing: Pacing
) -> None:
    """A hold of 30 ms delays one token of 20 (sleep pacing) or five (server pacing)."""
    crowd = Crowd(loop, deliveries, pacing)
    for _ in range(100):
        crowd.plan(0.0, math.inf)
    crowd.at(46.5, partial(advance, 30))  # the next token is due at 47
    crowd.run_ms(1000)
    late = {29: 100} if pacing == "sleep" else {29: 100, 22: 100, 15: 100, 8: 100, 1: 100}
    assert deliveries.lags == {0: 2000 - sum(late.values()), **late}
    assert percentile_of_counts(deliveries.lags, 99) == 29


def wait_as_epoll_does(timeout_s: float) -> float:
    """Return a wait in whole ms, rounded up, plus 0.4 ms."""
    return math.ceil(timeout_s * 1000) / 1000 + 0.0004 if timeout_s > 0 else 0.0


def test_wheel_is_not_delayed_by_a_loop_that_waits_in_whole_ms(
    loop: JumpingLoop, deliveries: Deliveries, pacing: Pacing
) -> None:
    """On an idle loop a stream takes its nominal time plus the lag of the last wait."""
    loop.wait = wait_as_epoll_does
    crowd = Crowd(loop, deliveries, pacing)
    for _ in range(3):
        crowd.plan(0.0, math.inf)
    crowd.run_ms(1000)
    for stream in crowd.streams:
        nominal_ms = math.ceil(stream.joined_ms) + TTFT_MS + TOKENS * TOK_MS
        assert nominal_ms <= stream.ended_ms < nominal_ms + 1.5
    assert set(deliveries.lags) <= {0, 1}


def test_wheel_that_ends_a_crowd_still_serves_the_streams_in_flight(
    loop: JumpingLoop, deliveries: Deliveries, advance: Advance, pacing: Pacing
) -> None:
    """A thousand ends in one tick delay another stream by 64 ms at most."""
    crowd = Crowd(loop, deliveries, pacing)
    for _ in range(1000):
        crowd.at(0.0, partial(join_and_work, crowd.wheel, partial(advance, 1)))
    crowd.plan(100.0, math.inf)
    crowd.run_ms(3000)
    (other,) = crowd.streams
    assert len(other.came_ms) == TOKENS
    assert 0 < max(deliveries.lags) <= 64
    assert max(after - before for before, after in pairwise(other.came_ms)) <= 64 + TOK_MS


def test_wheel_removes_a_stream_that_waits_to_end(
    loop: JumpingLoop, deliveries: Deliveries, pacing: Pacing
) -> None:
    """A stream that ends may cancel others that end in the same tick."""
    crowd = Crowd(loop, deliveries, pacing)
    streams = [crowd.wheel.join(lambda _: None) for _ in range(200)]
    streams[0].add_done_callback(lambda _: leave(crowd.wheel, streams[150:]))
    crowd.run_ms(1000)
    assert [stream.cancelled() for stream in streams] == [False] * 150 + [True] * 50
    assert all(stream.done() for stream in streams)
    assert not crowd.wheel._batch_of


@pytest.mark.parametrize("name", ["hand", "sc-mem"])
def test_thousands_of_sessions_keep_the_schedule_to_the_microsecond(
    name: str,
    loop: JumpingLoop,
    deliveries: Deliveries,
    counters: SharedCounters,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
) -> None:
    """Each session takes exactly its nominal time, with the runtime and without."""
    settings = make_settings(sessions=2000, turns=6, ttft_ms=200, tokens=10, tok_ms=5)
    recorder = Recorder(2000, counters)
    arm = ARMS[name](settings, MockLLM(settings, deliveries), tmp_path)
    elapsed = run_in_tasks(arm, range(2000), recorder, loop.time(), lambda: loop)
    assert set(map(round_us, recorder.latencies_ms)) == {1500.0}
    assert (recorder.ok, round_us(elapsed.wall_ms)) == (2000, 1500.0)
    assert deliveries.lags == {0: 2000 * 6 * 10}


def round_us(value_ms: float) -> float:
    """Round to the nearest us: more than the rounding errors of the jumps."""
    return round(value_ms, 3)


def join_and_work(wheel: TimerWheel, work: Callable[[], object]) -> None:
    """Join a stream whose end starts some work."""
    wheel.join(lambda _: None).add_done_callback(lambda _: work())


def leave(wheel: TimerWheel, streams: list[asyncio.Future[None]]) -> None:
    """Leave as cancelled tasks do."""
    for stream in streams:
        stream.cancel()
        wheel.leave(stream)
