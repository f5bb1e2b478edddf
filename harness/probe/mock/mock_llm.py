"""The mock backend: answers each request with the same tokens and the chart's event."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from escapement import LLMReply, LLMRequest, ToolCall
from harness.probe.mock.batch import OnDelta
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.wheel import TOKEN, TimerWheel, slip_of
from harness.probe.settings import Settings
from harness.probe.virtual_clock import VirtualClockError

_CONTINUE = ToolCall("event__continue")
_SLACK_MS = 0.001  # tolerance for rounding errors


class MockLLM:
    """A backend with a known schedule.

    Tokens are due at ``ttft, ttft + tok, ...``. The reply is due ``tok`` after its last token,
    so that an undisturbed turn takes the nominal ``ttft + tokens*tok``.

    Args:
        settings: The load and its pacing.
        clock: Monotonic seconds, for blocking streams; a loop's streams use the loop's clock.
        sleep: Blocks for some seconds.
    """

    def __init__(
        self,
        settings: Settings,
        deliveries: Deliveries,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._clock = clock
        self._sleep = sleep
        self._wheels: dict[asyncio.AbstractEventLoop, TimerWheel] = {}
        self._was_blocking = False
        self._reply = LLMReply(TOKEN * settings.tokens, _CONTINUE)

    @property
    def workers_seen(self) -> Literal["platform", "virtual", "mixed"] | None:
        """Return the kind of the streams' callers: threads, tasks, or both."""
        if self._was_blocking:
            return "mixed" if self._wheels else "platform"
        return "virtual" if self._wheels else None

    def stream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the calling thread, which sleeps between tokens.

        Raises:
            VirtualClockError: The clock is virtual: the thread would sleep while no time passes.
        """
        if self._settings.clock == "virtual":
            msg = f"session {request.session_id!r} blocks for its answer, which the virtual clock does not allow"
            raise VirtualClockError(msg)
        del request
        self._was_blocking = True
        is_sleep_paced = self._settings.pacing == "sleep"
        tok_s = self._settings.tok_ms / 1000
        due_s = self._clock() + self._settings.ttft_ms / 1000
        lags_ms: list[int] = []
        try:
            for _ in range(self._settings.tokens):
                lag_ms = self._wait_until(due_s)
                lags_ms.append(int(lag_ms))
                on_delta(TOKEN)
                self._deliveries.publish_one()
                due_s += tok_s + (slip_of(lag_ms) / 1000 if is_sleep_paced else 0.0)
            self._wait_until(due_s)
        finally:
            self._deliveries.add_stream(lags_ms)
        return self._reply

    async def astream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the running loop, from its one timer wheel."""
        del request
        wheel = self._wheel_of(asyncio.get_running_loop())
        stream = wheel.join(on_delta)
        try:
            await stream
        except BaseException:
            wheel.leave(stream)
            raise
        return self._reply

    def _wait_until(self, due_s: float) -> float:
        """Wait, and return the lag at the end in ms."""
        pause_s = due_s - self._clock()
        if pause_s > 0:
            self._sleep(pause_s)
        return max(0.0, (self._clock() - due_s) * 1000 + _SLACK_MS)

    def _wheel_of(self, loop: asyncio.AbstractEventLoop) -> TimerWheel:
        wheel = self._wheels.get(loop)
        if wheel is None:
            wheel = self._wheels[loop] = TimerWheel(
                loop,
                ttft_ms=self._settings.ttft_ms,
                tokens=self._settings.tokens,
                tok_ms=self._settings.tok_ms,
                pacing=self._settings.pacing,
                deliveries=self._deliveries,
            )
        return wheel
