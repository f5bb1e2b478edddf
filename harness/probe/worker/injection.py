"""Injected regressions: known costs per turn or session, which a gate must detect."""

import threading

from escapement import LLMReply, LLMRequest
from harness.probe.mock.batch import OnDelta
from harness.probe.mock.deliveries import Deliveries
from harness.probe.mock.mock_llm import MockLLM
from harness.probe.settings import Injection, Settings
from harness.probe.worker.arms import Arm

_WORD_BYTES = 8
_MASK = 0x7F  # small integers exist already: no allocation, which is slow under valgrind


class InjectedFailureError(Exception):
    """A session failed on purpose."""


class InjectedMockLLM(MockLLM):
    """A mock that adds work to the end of each turn, where the turn runs."""

    def __init__(self, settings: Settings, deliveries: Deliveries) -> None:
        super().__init__(settings, deliveries)
        self._work = settings.injection.work

    def stream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the calling thread, then work on it."""
        reply = super().stream(request, on_delta)
        burn(self._work)
        return reply

    async def astream(self, request: LLMRequest, on_delta: OnDelta) -> LLMReply:
        """Answer on the running loop, then work on it."""
        reply = await super().astream(request, on_delta)
        burn(self._work)
        return reply


class InjectedArm:
    """An arm whose sessions hold resources, and of which every Nth fails.

    A session that fails does all its work first, so the load stays the same.

    Args:
        arm: The arm that runs the sessions.
    """

    def __init__(self, arm: Arm, injection: Injection) -> None:
        self._arm = arm
        self._injection = injection

    def run(self, index: int) -> None:
        """Run one session on the calling thread."""
        with HeldResources(index, self._injection):
            self._arm.run(index)
        self._fail(index)

    async def arun(self, index: int) -> None:
        """Run one session on the running loop."""
        with HeldResources(index, self._injection):
            await self._arm.arun(index)
        self._fail(index)

    def _fail(self, index: int) -> None:
        every = self._injection.failing
        if every and (index + 1) % every == 0:
            msg = f"session {index} failed on purpose: SCALE_INJECT_FAILING={every}"
            raise InjectedFailureError(msg)


class HeldResources:
    """Idle threads and bytes that one session holds."""

    def __init__(self, index: int, injection: Injection) -> None:
        self._index = index
        self._injection = injection
        self._release = threading.Event()
        self.held = b""

    def __enter__(self) -> None:
        """Allocate the bytes and start the threads."""
        self.held = make_bytes(self._index, self._injection.held_bytes)
        try:
            for _ in range(self._injection.threads):
                threading.Thread(target=self._release.wait, daemon=True).start()
        except BaseException:
            self._release.set()
            raise

    def __exit__(self, *_: object) -> None:
        """Release both; the session does not wait for the threads."""
        self._release.set()
        self.held = b""


def make_llm(settings: Settings, deliveries: Deliveries) -> MockLLM:
    """Return a mock; it adds work only if the settings inject some."""
    if settings.injection.work:
        return InjectedMockLLM(settings, deliveries)
    return MockLLM(settings, deliveries)


def inject(arm: Arm, injection: Injection) -> Arm:
    """Return an arm with the injected regression; the same arm without one."""
    if injection.threads or injection.held_bytes or injection.failing:
        return InjectedArm(arm, injection)
    return arm


def burn(iterations: int) -> int:
    """Run a loop of small integers: the same number costs the same instructions.

    Returns:
        The last value, so that no interpreter can skip the loop.
    """
    value = 1
    for _ in range(iterations):
        value = (value ^ 0x5B) + 1 & _MASK
    return value


def make_bytes(index: int, size_bytes: int) -> bytes:
    """Return bytes of one session alone, a multiple of 8, with every page written."""
    word = (index + 1).to_bytes(_WORD_BYTES, "little")
    return word * -(-size_bytes // _WORD_BYTES)
