"""A program between `unshare` and a cell: it remounts everything but scratch read-only.

It runs in the cell's own mount namespace, then executes the cell. Standard library only.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Source: mount(2), and <sys/mount.h>; `proc_pid_mountinfo(5)` for the words.
_READ_ONLY, _REMOUNT, _BIND = 1, 32, 4096
_FLAGS = {
    "nosuid": 2,
    "nodev": 4,
    "noexec": 8,
    "noatime": 1024,
    "nodiratime": 2048,
    "relatime": 1 << 21,
}
_PROC_FLAGS = _FLAGS["nosuid"] | _FLAGS["nodev"] | _FLAGS["noexec"] | _FLAGS["relatime"]
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # holds the semaphores of several processes
_SOCKETS = "/run"  # engines' sockets, which a read-only mount does not close
_OWN = ("/proc",)  # a process may write its own entries
_KERNELS = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs")


@dataclass(frozen=True, slots=True)
class _Mounted:
    point: str
    flags: int


def main(arguments: Sequence[str]) -> None:
    """Remount read-only, and execute a command.

    Args:
        arguments: The scratch folder, then the command.

    Raises:
        OSError: A mount cannot be changed.
    """
    scratch, *command = arguments
    _mount(scratch, scratch, "", _BIND, "")
    if os.path.isdir(_SHARED_MEMORY):  # noqa: PTH112  # starts in half the time without pathlib
        _mount(
            "tmpfs",
            _SHARED_MEMORY,
            "tmpfs",
            _FLAGS["nosuid"] | _FLAGS["nodev"],
            "size=8m,mode=1777",
        )
    for point in filter(os.path.exists, _KERNELS):  # root can write there without capabilities
        _mount(point, point, "", _BIND, "")
        _mount("", point, "", _REMOUNT | _BIND | _READ_ONLY | _PROC_FLAGS, "")
    covered: tuple[str, ...] = ()
    if os.path.isdir(_SOCKETS) and not os.path.realpath(command[0]).startswith(f"{_SOCKETS}/"):  # noqa: PTH112
        _mount("tmpfs", _SOCKETS, "tmpfs", _READ_ONLY, "size=4k")
        covered = (_SOCKETS,)
    launched = (*covered, scratch, _SHARED_MEMORY, *_OWN)
    with open("/proc/self/mountinfo") as file:  # noqa: PTH123  # as above
        mounted = list(read_mounts(file))
    for at in mounted:
        if not any(at.point == keep or at.point.startswith(f"{keep}/") for keep in launched):
            _close(at)
    os.execvp(command[0], command)  # noqa: S606  # becomes the cell


def _close(at: _Mounted) -> None:
    try:
        _mount("", at.point, "", _REMOUNT | _BIND | _READ_ONLY | at.flags, "")
    except OSError as error:
        # unmounted meanwhile, or out of reach for the cell as well
        if error.errno not in {errno.ENOENT, errno.EACCES}:
            raise


def read_mounts(lines: Iterable[str]) -> Iterator[_Mounted]:
    """Yield the mount points with the flags that a remount has to keep."""
    for line in lines:
        words = line.split()
        point = words[4].encode().decode("unicode_escape").encode("latin-1").decode()
        yield _Mounted(point, sum(_FLAGS.get(word, 0) for word in words[5].split(",")))


def _mount(source: str, point: str, kind: str, flags: int, data: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [word.encode() or None for word in (source, point, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), point)


if __name__ == "__main__":
    main(sys.argv[1:])
