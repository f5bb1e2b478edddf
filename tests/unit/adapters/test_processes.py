"""Counted processes: their number at once, their time limit, and their removal."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.counters.processes import Command, ProcessEnd, run_all

Make = Callable[..., Command]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that makes the command of a Python program."""

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


def test_processes_are_returned_in_order(make: Make) -> None:
    """Output, errors and exit code belong to their command, however it ends."""
    codes = [f"import sys; print({n}); sys.stderr.write('e{n}'); sys.exit({n})" for n in range(5)]
    ended = run_all([make(code) for code in codes], at_once=2, timeout_s=60)
    assert ended == [ProcessEnd(code=n, stdout=f"{n}\n", stderr=f"e{n}") for n in range(5)]


def test_processes_have_their_own_environment_and_folder(make: Make, tmp_path: Path) -> None:
    """No variable of the host is passed on."""
    code = "import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}))"
    (ended,) = run_all([make(code, ASKED="1")], at_once=1, timeout_s=60)
    assert ended.stdout == f"{tmp_path} ['ASKED']\n"


def test_processes_print_more_than_a_pipe_holds(make: Make) -> None:
    """Long output on both streams does not block the process."""
    code = "import sys; sys.stdout.write('o' * 300000); sys.stderr.write('e' * 300000)"
    (ended,) = run_all([make(code)], at_once=1, timeout_s=60)
    assert (len(ended.stdout), len(ended.stderr), ended.code) == (300000, 300000, 0)


def test_process_that_takes_too_long_is_killed_with_its_children(make: Make) -> None:
    """A child that holds the output open is killed too; the others still run."""
    parent = (
        "import os, signal\n"
        "pid = os.fork()\n"
        "if pid: print(os.getpid(), pid, flush=True)\n"
        "signal.pause()"
    )
    slow, quick = run_all([make(parent), make("print(1)")], at_once=1, timeout_s=2)
    assert slow.code is None
    assert quick == ProcessEnd(code=0, stdout="1\n", stderr="")
    own, child = (int(word) for word in slow.stdout.split())
    assert not _is_there(own)
    assert _has_ended(child)


def _has_ended(pid: int) -> bool:
    """Return whether a process has ended, or is a zombie."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_processes_are_killed_by_an_interrupt(make: Make, tmp_path: Path) -> None:
    """Ctrl-C leaves no process."""
    code = (
        "import os, signal\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        f"os.kill({os.getpid()}, {int(signal.SIGINT)})\n"
        "signal.pause()"
    )
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background processes ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            run_all([make(code)], at_once=2, timeout_s=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not _is_there(int((tmp_path / "pid").read_text()))


def test_process_that_escapes_its_group_does_not_block(make: Make) -> None:
    """A child outside the group may hold the output open: the time limit holds."""
    daemon = "import os, signal\nif not os.fork():\n    os.setsid()\n    print(os.getpid(), flush=True)\n    signal.pause()\n"
    (ended,) = run_all([make(daemon)], at_once=1, timeout_s=1)
    os.kill(int(ended.stdout), signal.SIGKILL)
    assert ended.code is None


def test_failing_start_kills_the_other_processes(make: Make, tmp_path: Path) -> None:
    """A program that is missing is an error, and leaves no process."""
    code = "import os, signal; open('pid', 'w').write(str(os.getpid())); signal.pause()"
    missing = Command(words=("/no/such/program",), environment={}, folder=tmp_path)
    with pytest.raises(FileNotFoundError):
        run_all([make("pass"), make(code), missing], at_once=2, timeout_s=60)
    if (tmp_path / "pid").exists():
        assert not _is_there(int((tmp_path / "pid").read_text()))
