"""The lock that keeps two runs on one machine apart."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from harness.adapters.host.lock import Turn, machine_lock, own_note, prune_locks
from harness.model.errors import NoBoxError

_HOLD = """
import sys
from pathlib import Path
from harness.adapters.host.lock import Turn, machine_lock
with machine_lock("here", "a test", Turn.GIVE_UP, print, place=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Pauses:
    """Three attempts at a lock whose holder ends at the last.

    Args:
        until: Ends the holder.
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


def _never_said(text: str) -> None:
    raise AssertionError(text)


def _lock(
    place: Path,
    note: str = "first",
    *,
    turn: Turn = Turn.GIVE_UP,
    pause: Callable[[], None] = _never,
    say: Callable[[str], None] = _never_said,
) -> AbstractContextManager[None]:
    return machine_lock("here", note, turn, say, pause=pause, place=place)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Yield a process that holds the lock below `tmp_path`."""
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


def test_lock_leaves_nothing_when_it_is_released(tmp_path: Path) -> None:
    """During a run a file names the holder; afterwards there is no file."""
    with _lock(tmp_path, "`invoke compare` in /src"):
        (held,) = tmp_path.iterdir()
        assert held.read_text() == "`invoke compare` in /src\n"
        assert held.stat().st_mode & 0o777 == 0o666
    assert list(tmp_path.iterdir()) == []


def test_second_run_that_does_not_wait_reports_the_holder(tmp_path: Path) -> None:
    """`--no-wait` ends at once, and the first run keeps its lock."""
    with _lock(tmp_path):
        with pytest.raises(NoBoxError) as caught, _lock(tmp_path):
            _never()
        assert str(caught.value) == (
            "another run uses the machine: first — leave out --no-wait to wait for it"
        )
        assert len(list(tmp_path.iterdir())) == 1


def test_second_run_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    """It reports the holder once, and then holds the lock itself."""
    said = list[str]()
    with ExitStack() as first:
        first.enter_context(_lock(tmp_path))
        pauses = Pauses(until=first.close)
        waiting = _lock(tmp_path, "second", turn=Turn.WAIT, pause=pauses.pass_one, say=said.append)
        with waiting:
            (held,) = tmp_path.iterdir()
            assert held.read_text() == "second\n"
    assert said == ["waiting for first to end; two runs at once would disturb each other"]
    assert pauses.left == 0


def test_lock_of_a_killed_run_is_free(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    """The kernel releases the lock when its holder dies: no run waits for it."""
    with pytest.raises(NoBoxError, match="another run uses the machine: a test"), _lock(tmp_path):
        _never()
    holder.kill()
    holder.wait()
    with _lock(tmp_path, "second"):
        (held,) = tmp_path.iterdir()
        assert held.read_text() == "second\n"
    assert list(tmp_path.iterdir()) == []


def test_prune_removes_locks_without_a_holder(tmp_path: Path) -> None:
    """A held lock stays, and so does a file with another name."""
    dead, other = tmp_path / "esc-bench-engine-1.lock", tmp_path / "other.lock"
    dead.touch()
    other.touch()
    with _lock(tmp_path):
        assert prune_locks(tmp_path) == [f"lock {dead}"]
        assert {path.name for path in tmp_path.iterdir()} == {"esc-bench-here.lock", "other.lock"}


def test_prune_leaves_a_link_and_a_folder(tmp_path: Path) -> None:
    """The bench makes no such thing."""
    (tmp_path / "esc-bench-a.lock").symlink_to(tmp_path / "nowhere")
    (tmp_path / "esc-bench-b.lock").mkdir()
    assert prune_locks(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_link_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    """In a shared folder, a link of another user would redirect our writes."""
    target = tmp_path / "target"
    target.write_text("theirs")
    (tmp_path / "esc-bench-here.lock").symlink_to(target)
    with (
        pytest.raises(NoBoxError, match=r"^cannot lock .*/esc-bench-here\.lock: "),
        _lock(tmp_path),
    ):
        _never()
    assert target.read_text() == "theirs"


def test_lock_without_a_folder_is_refused(tmp_path: Path) -> None:
    """A missing folder is an error, and not a reason to try forever."""
    with (
        pytest.raises(NoBoxError, match=r"^cannot lock .*: No such file or directory"),
        _lock(tmp_path / "gone"),
    ):
        _never()


def test_note_of_a_holder_cannot_move_the_cursor(tmp_path: Path) -> None:
    """The note of another user is cut, and its control characters are replaced."""
    with _lock(tmp_path, "a\x1b[2Jb" + "c" * 1000):
        with pytest.raises(NoBoxError) as caught, _lock(tmp_path):
            _never()
        assert "a [2Jb" in caught.value.what
        assert len(caught.value.what) < 400


def test_note_names_the_run() -> None:
    """A run that waits reads the verb, the folder, the process, and the start."""
    note = own_note(Path("/src"), "2026-11-30T12:34:56Z")
    assert f" in /src (process {os.getpid()} of " in note
    assert note.endswith(", since 2026-11-30T12:34:56Z)")


def test_call_that_runs_no_cell_needs_no_lock() -> None:
    """A dry run never waits."""
    with machine_lock("\0", "", Turn.NEEDS_NONE, _never_said):
        pass


def test_lock_on_a_removed_file_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last holder may remove the file between opening and locking it."""
    flock, calls = fcntl.flock, list[int]()

    def remove_first(fd: int, operation: int) -> None:
        if not calls:
            (tmp_path / "esc-bench-here.lock").unlink()
        calls.append(fd)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with _lock(tmp_path):
        (held,) = tmp_path.iterdir()
        assert held.read_text() == "first\n"
    assert len(calls) == 2
