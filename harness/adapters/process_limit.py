"""How many processes and threads a cell may have where nobody asked for a number: fewer than its host can spare."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_KERNEL = Path("/proc/sys/kernel")
_DEFAULT = 32_768  # the kernel's own, for a machine that has no such file
_SHARE = 3, 4


def backstop_pids(kernel: Path = _KERNEL) -> int:
    """Return three quarters of what the kernel of this machine allows at once.

    A fork bomb that stops there leaves the host able to start a process. It is no cap of the subject's: a thread that does not start there names it.

    Args:
        kernel: The folder of the kernel's own limits.

    Source: proc_sys_kernel(5), `pid_max` and `threads-max`.
    """
    most, parts = _SHARE
    return min(_limits(kernel), default=_DEFAULT) * most // parts


def _limits(kernel: Path) -> Iterator[int]:
    for name in ("pid_max", "threads-max"):
        with suppress(OSError, ValueError):
            yield int((kernel / name).read_text())
