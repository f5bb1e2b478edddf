"""The lock of one run on this machine; the kernel releases it if the run dies."""

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path

import psutil

from harness.adapters.host.files import read_plain
from harness.model.errors import NoBoxError
from harness.model.text import printable

PLACE = Path("/var/tmp")  # noqa: S108  # shared by all users: the lock excludes their runs too
THIS_MACHINE = "machine"
"""The name of the lock for everything that runs on this machine's own CPUs."""

_PREFIX, _SUFFIX = "esc-bench-", ".lock"
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LONGEST_NOTE = 300
_POLL_S = 0.5


class Turn(Enum):
    """The behaviour of a call while another run uses the machine."""

    WAIT = "wait"
    GIVE_UP = "give up"
    NEEDS_NONE = "needs none"


def _pause() -> None:
    time.sleep(_POLL_S)


@contextmanager
def machine_lock(
    name: str,
    note: str,
    turn: Turn,
    say: Callable[[str], None],
    *,
    pause: Callable[[], None] = _pause,
    place: Path = PLACE,
) -> Iterator[None]:
    """Hold a lock for as long as the block runs.

    Args:
        name: The shared resource: this machine, or an engine elsewhere.
        note: The holder, as text for a run that waits.
        turn: What to do while another run holds it.
        say: Called with the holder when this starts to wait, and when the holder changes.
        pause: Called between two attempts.
        place: A folder that all users share.

    Raises:
        NoBoxError: Another run holds the lock and this does not wait, or the lock cannot be made.
    """
    if turn is Turn.NEEDS_NONE:
        yield
        return
    path, reported = place / f"{_PREFIX}{name}{_SUFFIX}", ""
    try:
        while (fd := _try_lock(path)) is None:
            holder = _read_note(path)
            if turn is Turn.GIVE_UP:
                msg = f"another run uses the machine: {holder}"
                raise NoBoxError(msg, hint="leave out --no-wait to wait for it")
            if holder != reported:
                say(f"waiting for {holder} to end; two runs at once would disturb each other")
                reported = holder
            pause()
    except OSError as error:
        msg = f"cannot lock {path}: {error.strerror}"
        raise NoBoxError(msg, hint="check who owns it, and remove it") from error
    try:
        with suppress(OSError):  # a full disk: the lock holds without a note
            os.truncate(fd, 0)
            os.pwrite(fd, f"{note}\n".encode(errors="replace"), 0)
        yield
    finally:
        _release(path, fd)


def own_note(folder: Path, stamp: str) -> str:
    """Return the note of this run.

    Args:
        folder: The checkout.
        stamp: The start of the run.
    """
    verb = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    process = psutil.Process()
    return f"`{verb}` in {folder} (process {process.pid} of {process.username()}, since {stamp})"


def prune_locks(place: Path = PLACE) -> list[str]:
    """Remove the locks that killed runs left; return their paths."""
    removed = []
    for path in sorted(place.glob(f"{_PREFIX}*{_SUFFIX}")):
        with suppress(OSError):  # a link, a folder, or a file that another user closed to us
            fd = _try_lock(path)
            if fd is not None:
                _release(path, fd)
                if not path.exists():
                    removed.append(f"lock {path}")
    return removed


def _try_lock(path: Path) -> int | None:
    """Open and lock a file; return its descriptor, None if another run holds it.

    Raises:
        OSError: The file cannot be opened or made.
    """
    while True:
        with ExitStack() as stack:
            fd = _open(path)
            stack.callback(os.close, fd)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            if os.fstat(fd).st_nlink:  # else its last holder has removed it
                stack.pop_all()
                return fd


def _open(path: Path) -> int:
    """Open a file that may belong to another user, or make it for all users.

    In a sticky folder, kernels refuse O_CREAT for a file of another user (fs.protected_regular).
    """
    while True:
        try:
            fd = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            with suppress(FileNotFoundError):  # its holder has just removed it
                return os.open(path, _FLAGS)
        else:
            os.fchmod(fd, 0o666)  # whatever the umask
            return fd


def _release(path: Path, fd: int) -> None:
    """Remove the file and then unlock it, so that no run locks a removed file."""
    try:
        if os.fstat(fd).st_nlink:  # else a person removed it, and its path may be another run's
            os.truncate(fd, 0)
            path.unlink()
    except PermissionError:
        pass  # another user made it: it stays, unlocked and without a note
    finally:
        os.close(fd)


def _read_note(path: Path) -> str:
    try:
        text = read_plain(path, limit_bytes=_LONGEST_NOTE << 4)
        note = text[:_LONGEST_NOTE].decode(errors="replace").strip()
    except OSError:
        note = ""
    return printable(note) or "an unknown run"
