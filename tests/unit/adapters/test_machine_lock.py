"""The lock that keeps two runs on one machine apart."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from harness.adapters.host.lock import Turn, locked, machine_lock, own_note, prune_locks
from harness.model.errors import NoBoxError

_HOLD = """
import sys
from pathlib import Path
from harness.adapters.host.lock import locked
with locked("here", "a test", waits=False, pause=lambda: None, say=print, place=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Told(list[str]):
    """What was said."""


class Pauses:
    """Three looks at the lock, at the last of which its holder ends.

    Args:
        until: Ends it.
    """

    def __init__(self, until: Callable[[], None]) -> None:
        self._until = until
        self.left = 3

    def pass_one(self) -> None:
        """Pass one of them."""
        self.left -= 1
        if not self.left:
            self._until()


def _never() -> None:
    msg = "it waited"
    raise AssertionError(msg)


def _locked(place: Path, note: str = "first", **how: object) -> AbstractContextManager[None]:
    settled: dict[str, object] = {"waits": False, "pause": _never, "say": Told().append, **how}
    return locked("here", note, place=place, **settled)  # type: ignore[arg-type]  # each has its own type


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Give a process that holds the lock below `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_lock_leaves_nothing_when_it_is_let_go(tmp_path: Path) -> None:
    """While a run holds it there is a file that says who; afterwards there is none."""
    with _locked(tmp_path, "`invoke compare` in /src"):
        (held,) = tmp_path.iterdir()
        assert held.read_text() == "`invoke compare` in /src\n"
        assert held.stat().st_mode & 0o777 == 0o666
    assert list(tmp_path.iterdir()) == []


def test_second_run_that_does_not_wait_is_told_who_has_it(tmp_path: Path) -> None:
    """`--no-wait` ends at once, and the first run keeps what it has."""
    with _locked(tmp_path):
        with pytest.raises(NoBoxError, match=r"the box is taken: first runs"), _locked(tmp_path):
            _never()
        assert len(list(tmp_path.iterdir())) == 1


def test_second_run_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    """It says once for whom, and then holds it itself."""
    told = Told()
    with ExitStack() as first:
        first.enter_context(_locked(tmp_path))
        pauses = Pauses(until=first.close)
        with _locked(tmp_path, "second", waits=True, pause=pauses.pass_one, say=told.append):
            (held,) = tmp_path.iterdir()
            assert held.read_text() == "second\n"
    assert told == ["waiting for first to end; two at once would disturb each other"]
    assert pauses.left == 0


def test_lock_of_a_killed_run_is_taken_over(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    """The kernel lets go of it however its holder ends, so that nobody waits for the dead."""
    with pytest.raises(NoBoxError, match="a test runs"), _locked(tmp_path):
        _never()
    holder.kill()
    holder.wait()
    with _locked(tmp_path, "second"):
        (held,) = tmp_path.iterdir()
        assert held.read_text() == "second\n"
    assert list(tmp_path.iterdir()) == []


def test_prune_removes_what_nobody_holds(tmp_path: Path) -> None:
    """What a killed run left goes, what a run holds stays, and a file of another name is none of ours."""
    dead, other = tmp_path / "esc-bench-engine-1.lock", tmp_path / "other.lock"
    dead.touch()
    other.touch()
    with _locked(tmp_path):
        assert prune_locks(tmp_path) == [f"lock {dead}"]
        assert {path.name for path in tmp_path.iterdir()} == {"esc-bench-here.lock", "other.lock"}


def test_prune_leaves_what_is_no_lock(tmp_path: Path) -> None:
    """A link or a folder of such a name is somebody's, and stays."""
    (tmp_path / "esc-bench-a.lock").symlink_to(tmp_path / "nowhere")
    (tmp_path / "esc-bench-b.lock").mkdir()
    assert prune_locks(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    """In a folder that all users share, a link would have us write where somebody else wants."""
    target = tmp_path / "target"
    target.write_text("theirs")
    (tmp_path / "esc-bench-here.lock").symlink_to(target)
    with pytest.raises(NoBoxError, match="there is no lock to be had at"), _locked(tmp_path):
        _never()
    assert target.read_text() == "theirs"


def test_what_a_holder_says_cannot_move_the_cursor(tmp_path: Path) -> None:
    """The note was written by another user: it is cut, and shown without what a terminal would act on."""
    with _locked(tmp_path, "a\x1b[2Jb" + "c" * 1000):
        with pytest.raises(NoBoxError) as caught, _locked(tmp_path):
            _never()
        assert "a [2Jb" in caught.value.what
        assert len(caught.value.what) < 400


def test_run_says_who_it_is() -> None:
    """Whoever waits is told the verb, the folder, the process, and since when."""
    note = own_note(Path("/src"), "2026-11-30T12:34:56Z")
    assert f" in /src (process {os.getpid()} of " in note
    assert note.endswith(", since 2026-11-30T12:34:56Z)")


def test_what_runs_no_cell_takes_no_lock() -> None:
    """A dry run is never kept waiting."""
    with machine_lock("\0", "", Turn.NEEDS_NONE, _never_said):
        pass


def _never_said(text: str) -> None:
    raise AssertionError(text)
