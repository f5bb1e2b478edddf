"""One run at a time on one machine: a lock that the kernel lets go of, however its holder ends."""

import errno
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from enum import Enum
from functools import partial
from pathlib import Path

import psutil

from harness.adapters.host.files import read_plain
from harness.model.errors import NoBoxError
from harness.model.text import printable

PLACE = Path("/var/tmp")  # noqa: S108  # all users share it: a lock of each user's own would lock nobody out
THIS_MACHINE = "machine"
"""The name of the lock for all that runs on this machine's own CPUs."""

_PREFIX = "esc-bench-"
_SUFFIX = ".lock"
_LONGEST_NOTE = 300
_LOOK_S = 0.5


class Turn(Enum):
    """What a run does while another one has the machine."""

    WAIT = "wait"
    GIVE_UP = "give up"
    NEEDS_NONE = "needs none"


def machine_lock(
    name: str, note: str, turn: Turn, say: Callable[[str], None]
) -> AbstractContextManager[None]:
    """Hold the lock of that name, as it is this run's turn or not; see `locked`."""
    if turn is Turn.NEEDS_NONE:
        return nullcontext()
    pause = partial(time.sleep, _LOOK_S)
    return locked(name, note, waits=turn is Turn.WAIT, pause=pause, say=say)


@contextmanager
def locked(
    name: str,
    note: str,
    *,
    waits: bool,
    pause: Callable[[], None],
    say: Callable[[str], None],
    place: Path = PLACE,
) -> Iterator[None]:
    """Hold the lock of that name for as long as the block runs.

    Args:
        name: What is shared: this machine, or an engine elsewhere.
        note: Who holds it, in words for whoever comes next.
        waits: Whether to wait while somebody else holds it.
        pause: Passes the time until it is looked at again.
        say: Is told whom is waited for, again when that changes.
        place: A folder that all users share.

    Raises:
        NoBoxError: Somebody else holds it, and this does not wait; or it cannot be made.
    """
    path = place / f"{_PREFIX}{name}{_SUFFIX}"
    told = ""
    try:
        while (fd := _take(path)) is None:
            holder = _holder(path)
            if not waits:
                msg = f"the box is taken: {holder} runs"
                raise NoBoxError(msg, hint="wait for it, which is what happens without --no-wait")
            if holder != told:
                say(f"waiting for {holder} to end; two at once would disturb each other")
                told = holder
            pause()
    except OSError as error:
        msg = f"there is no lock to be had at {path}: {error.strerror}"
        raise NoBoxError(msg, hint="see whose it is, and remove it") from error
    try:
        with suppress(OSError):  # on a full disk the lock holds all the same, and says nothing
            os.truncate(fd, 0)
            os.pwrite(fd, f"{note}\n".encode(errors="replace"), 0)
        yield
    finally:
        _let_go(path, fd)


def own_note(folder: Path, stamp: str) -> str:
    """Say in words which run this is.

    Args:
        folder: The checkout.
        stamp: Since when it runs.
    """
    verb = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    process = psutil.Process()
    return f"`{verb}` in {folder} (process {process.pid} of {process.username()}, since {stamp})"


def prune_locks(place: Path = PLACE) -> list[str]:
    """Remove the locks that nobody holds, which killed runs left; return their paths."""
    removed = []
    for path in sorted(place.glob(f"{_PREFIX}*{_SUFFIX}")):
        try:
            fd = _take(path)
        except OSError:  # not a file of ours, or not ours to open: it is left alone
            continue
        if fd is not None:
            _let_go(path, fd)
            if not path.exists():
                removed.append(f"lock {path}")
    return removed


def _take(path: Path) -> int | None:
    """Open the lock, made where it is missing, and lock it; None while somebody else holds it.

    Raises:
        OSError: It cannot be opened or made, or is no plain file.
    """
    while True:
        fd = _open(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, fd):
                return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:  # also Ctrl-C: a descriptor that stays open would hold the lock
            os.close(fd)
            raise
        os.close(fd)  # its last holder removed it a moment ago


def _open(path: Path) -> int:
    """Open without O_CREAT what is there: in a folder that all users share, kernels refuse it with O_CREAT for a file of somebody else."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        try:
            fd = os.open(path, flags)
        except FileNotFoundError:
            pass
        else:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
            raise OSError(errno.EINVAL, "it is no plain file")
        try:
            fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            continue
        os.fchmod(fd, 0o666)  # whatever the umask: others are to lock it, too
        return fd


def _is_still(path: Path, fd: int) -> bool:
    """Whether the path still names what was opened."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(fd))


def _let_go(path: Path, fd: int) -> None:
    """Remove it while it is held, so that nobody can hold what is removed, and then let go."""
    try:
        if _is_still(path, fd):
            os.truncate(fd, 0)
            path.unlink()
    except PermissionError:
        pass  # made by another user, who was killed: it stays, unlocked and without a note
    finally:
        os.close(fd)


def _holder(path: Path) -> str:
    try:
        text = read_plain(path, limit_bytes=_LONGEST_NOTE << 4)
        note = text[:_LONGEST_NOTE].decode(errors="replace").strip()
    except OSError:
        note = ""
    return printable(note) or "another run, which does not say who it is,"
