"""Processes that are counted: how many at once, for how long, and that none stays."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.counters.counted_processes import Command, Ended, run_all

Make = Callable[..., Command]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Provide what makes the command that runs a program of Python."""

    def command(code: str, **environment: str) -> Command:
        words = (sys.executable, "-S", "-c", code)
        return Command(words=words, environment=environment, folder=tmp_path)

    return command


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_are_given_back_in_order(make: Make) -> None:
    """Output, errors and exit code belong to the command that was asked for, however they end."""
    codes = [f"import sys; print({n}); sys.stderr.write('e{n}'); sys.exit({n})" for n in range(5)]
    ended = run_all([make(code) for code in codes], at_once=2, timeout_s=60)
    assert ended == [Ended(code=n, stdout=f"{n}\n", stderr=f"e{n}") for n in range(5)]


def test_processes_have_the_environment_and_folder_that_they_were_given(
    make: Make, tmp_path: Path
) -> None:
    """Nothing of the host's own is handed on."""
    code = "import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}))"
    (ended,) = run_all([make(code, ASKED="1")], at_once=1, timeout_s=60)
    assert ended.stdout == f"{tmp_path} ['ASKED']\n"


def test_processes_print_more_than_a_pipe_holds(make: Make) -> None:
    """A process that says a lot on both sides does not wait for ever to be read."""
    code = "import sys; sys.stdout.write('o' * 300000); sys.stderr.write('e' * 300000)"
    (ended,) = run_all([make(code)], at_once=1, timeout_s=60)
    assert (len(ended.stdout), len(ended.stderr), ended.code) == (300000, 300000, 0)


def test_process_that_takes_too_long_is_killed_with_its_children(make: Make) -> None:
    """What it started holds its output open, and goes with it; the others are still run."""
    parent = (
        "import os, signal\n"
        "pid = os.fork()\n"
        "if pid: print(os.getpid(), pid, flush=True)\n"
        "signal.pause()"
    )
    slow, quick = run_all([make(parent), make("print(1)")], at_once=1, timeout_s=2)
    assert slow.code is None
    assert quick == Ended(code=0, stdout="1\n", stderr="")
    own, child = (int(word) for word in slow.stdout.split())
    assert not _is_there(own)
    assert _has_gone(child)


def _has_gone(pid: int) -> bool:
    """A child of a killed process may stay as a zombie until somebody reaps it."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_processes_are_killed_by_an_interrupt(make: Make, tmp_path: Path) -> None:
    """Ctrl-C leaves nothing that runs."""
    code = (
        "import os, signal\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        f"os.kill({os.getpid()}, {int(signal.SIGINT)})\n"
        "signal.pause()"
    )
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell has its background ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            run_all([make(code)], at_once=2, timeout_s=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not _is_there(int((tmp_path / "pid").read_text()))
