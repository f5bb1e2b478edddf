"""Signals that end a run."""

import signal
from collections.abc import Iterator

import pytest

from harness.adapters.host.signals import EndingSignals

FIRST = "what went wrong first"
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def ends_by_signals() -> Iterator[None]:
    """Install default handlers: a shell's background processes ignore Ctrl-C."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Run:
    """A run that receives signals.

    Args:
        running: The signals during its work; the first ends it.
        ending: The signals during its cleanup.
        fails: Whether it fails by itself.
    """

    def __init__(
        self, *, running: tuple[int, ...] = (), ending: tuple[int, ...] = (), fails: bool = False
    ) -> None:
        self._running, self._ending, self._fails = running, ending, fails
        self.said: list[str] = []
        self.is_clean = False

    def go(self) -> None:
        """Work, and clean up."""
        with EndingSignals(self.said.append) as signals:
            try:
                for number in self._running:
                    signal.raise_signal(number)
                if self._fails:
                    raise ValueError(FIRST)
            finally:
                signals.end()
                for number in self._ending:
                    signal.raise_signal(number)
                self.is_clean = True


@pytest.mark.parametrize("number", ENDING)
def test_first_signal_interrupts_and_the_next_are_reported(number: signal.Signals) -> None:
    """The cleanup after Ctrl-C is complete, however often it is pressed."""
    run = Run(running=(number,), ending=(number, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert run.is_clean
    assert run.said == [
        f"{name}: already ending; what the run made is removed first"
        for name in (number.name, "SIGINT")
    ]


def test_signal_during_a_cleanup_raises_after_it() -> None:
    """A run that ends by itself cleans up, and then reports the interruption."""
    run = Run(ending=(signal.SIGTERM,))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert run.is_clean
    assert run.said == ["SIGTERM: already ending; what the run made is removed first"]


def test_error_of_a_run_is_not_hidden_by_a_signal() -> None:
    """The first error is the one that is reported."""
    run = Run(ending=(signal.SIGINT,), fails=True)
    with pytest.raises(ValueError, match=FIRST):
        run.go()
    assert run.is_clean


def test_handlers_are_restored() -> None:
    """After the block, signals have their old handlers."""
    before = [signal.getsignal(number) for number in ENDING]
    with EndingSignals(lambda _text: None):
        assert signal.getsignal(signal.SIGHUP) not in before
    assert [signal.getsignal(number) for number in ENDING] == before


def test_ignored_signal_stays_ignored() -> None:
    """A run under nohup outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Run(running=(signal.SIGHUP,)).go()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
