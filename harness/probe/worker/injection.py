"""Injected regressions: known costs per turn or session, to prove the gate."""

import threading

from escapement import LLMReply, LLMRequest
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.lane import OnDelta
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Injection, Settings
from harness.probe.worker.arms import Arm

_WORD_BYTES = 8
_MASK = (
    0x7F  # integers that small are there already: no allocator is asked, which valgrind makes dear
)


class InjectedFailureError(Exception):
    """A session failed because it was told to."""


class InjectedMockLLM(MockLLM):
    """A mock whose turns each end with some work, on the turn's thread or loop.

    Args:
        settings: The load, its pacing, and how much work.
        deliveries: The account of what was delivered, and how late.
    """

    def __init__(self, settings: Settings, deliveries: Deliveries) -> None:
        super().__init__(settings, deliveries)
        self._work = settings.injection.work

    def stream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the calling thread, and work."""
        reply = super().stream(request, on_delta)
        work(self._work)
        return reply

    async def astream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the running loop, and work on it."""
        reply = await super().astream(request, on_delta)
        work(self._work)
        return reply


class InjectedArm:
    """An arm whose sessions hold threads and memory; every Nth session fails.

    A session that is to fail does all its work before, so that the load is the same with it.

    Args:
        arm: What the sessions do.
        injection: What is added to each.
    """

    def __init__(self, arm: Arm, injection: Injection) -> None:
        self._arm = arm
        self._injection = injection

    def run(self, index: int) -> None:
        """Run one session on the calling thread."""
        with Ballast(index, self._injection):
            self._arm.run(index)
        self._fail(index)

    async def arun(self, index: int) -> None:
        """Run one session on the running loop."""
        with Ballast(index, self._injection):
            await self._arm.arun(index)
        self._fail(index)

    def _fail(self, index: int) -> None:
        every = self._injection.failing
        if every and (index + 1) % every == 0:
            msg = f"session {index} was told to fail: SCALE_INJECT_FAILING={every}"
            raise InjectedFailureError(msg)


class Ballast:
    """The injected threads and bytes of one session.

    A thread that cannot be started is raised, as it is to a runtime that wants one.

    Args:
        index: The session.
        injection: How many of each.
    """

    def __init__(self, index: int, injection: Injection) -> None:
        self._index = index
        self._injection = injection
        self._release = threading.Event()
        self.held = b""

    def __enter__(self) -> None:
        """Take hold."""
        self.held = fill(self._index, self._injection.held_bytes)
        try:
            for _ in range(self._injection.threads):
                threading.Thread(target=self._release.wait, daemon=True).start()
        except BaseException:
            self._release.set()
            raise

    def __exit__(self, *_: object) -> None:
        """Let go; the threads end in their own time, which no session waits for."""
        self._release.set()
        self.held = b""


def make_llm(settings: Settings, deliveries: Deliveries) -> MockLLM:
    """Make the mock, with injected work if requested."""
    if settings.injection.work:
        return InjectedMockLLM(settings, deliveries)
    return MockLLM(settings, deliveries)


def inject(arm: Arm, injection: Injection) -> Arm:
    """Wrap an arm in its injected costs; return it unchanged without any."""
    if injection.threads or injection.held_bytes or injection.failing:
        return InjectedArm(arm, injection)
    return arm


def work(iterations: int) -> int:
    """Run a loop over small integers, with the same instructions each time.

    Args:
        iterations: How often.

    Returns:
        What it came to, so that no interpreter may leave the loop out.
    """
    value = 1
    for _ in range(iterations):
        value = (value ^ 0x5B) + 1 & _MASK
    return value


def fill(index: int, size_bytes: int) -> bytes:
    """Return bytes in one allocation, with every page written.

    Args:
        index: The session.
        size_bytes: How many, rounded up to a whole number of 8.
    """
    word = (index + 1).to_bytes(_WORD_BYTES, "little")
    return word * -(-size_bytes // _WORD_BYTES)
