"""How a run ends by a signal."""

import signal
from collections.abc import Iterator

import pytest

from harness.adapters.host.signals import EndingSignals

FIRST = "what went wrong first"
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def ends_by_signals() -> Iterator[None]:
    """Start from signals that act, however these tests were started: a shell has its background ignore Ctrl-C."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Run:
    """A run that is given signals as it goes.

    Args:
        running: The signals while it works; the first ends it.
        ending: Those while it tidies.
        fails: Whether it fails by itself.
    """

    def __init__(
        self, *, running: tuple[int, ...] = (), ending: tuple[int, ...] = (), fails: bool = False
    ) -> None:
        self._running, self._ending, self._fails = running, ending, fails
        self.told: list[str] = []
        self.is_tidy = False

    def go(self) -> None:
        """Work, and tidy whatever happens."""
        with EndingSignals(self.told.append) as signals:
            try:
                for number in self._running:
                    signal.raise_signal(number)
                if self._fails:
                    raise ValueError(FIRST)
            finally:
                signals.end()
                for number in self._ending:
                    signal.raise_signal(number)
                self.is_tidy = True


@pytest.mark.parametrize("number", ENDING)
def test_first_signal_interrupts_and_the_next_are_answered(number: signal.Signals) -> None:
    """What is removed after Ctrl-C is removed whole, however often it is pressed."""
    run = Run(running=(number,), ending=(number, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert run.is_tidy
    assert run.told == [
        f"{name}: this is ending already, and first removes what it made"
        for name in (number.name, "SIGINT")
    ]


def test_signal_at_the_end_of_a_run_does_not_stop_it_from_tidying() -> None:
    """A run that ends by itself tidies to its end, and then says that it was interrupted."""
    run = Run(ending=(signal.SIGTERM,))
    with pytest.raises(KeyboardInterrupt):
        run.go()
    assert run.is_tidy
    assert run.told == ["SIGTERM: this is ending already, and first removes what it made"]


def test_error_of_a_run_is_not_hidden_by_a_signal() -> None:
    """What went wrong first is what is told."""
    run = Run(ending=(signal.SIGINT,), fails=True)
    with pytest.raises(ValueError, match=FIRST):
        run.go()
    assert run.is_tidy


def test_handlers_come_back() -> None:
    """After the block signals do what they did before."""
    before = [signal.getsignal(number) for number in ENDING]
    with EndingSignals(lambda _text: None):
        assert signal.getsignal(signal.SIGHUP) not in before
    assert [signal.getsignal(number) for number in ENDING] == before


def test_signal_that_is_ignored_stays_so() -> None:
    """Whoever starts a run with nohup wants it to outlive the terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Run(running=(signal.SIGHUP,)).go()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
