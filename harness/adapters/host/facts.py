"""What this host is, read from its kernel, its disks, git and whatever box answers."""

import os
import platform
import resource
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from harness.verbs.doctor import BoxFact, GitFact, HostFacts, Space

_LOOK_S = 1.0
_TOOLS = ("valgrind", "strace")
_SCALING = "/sys/devices/system/cpu"
_STORE = Path("/var/tmp")  # noqa: S108  # where builds and cells go without an engine


def find_facts(folder: Path, boxes: Sequence[BoxFact], git: GitFact) -> HostFacts:
    """Return the facts of this host, after watching its load for a second.

    Args:
        folder: The root of the checkout.
        boxes: Each kind of box, the best first.
        git: What git finds in the checkout.
    """
    busy, steal = _load()
    return HostFacts(
        boxes=boxes,
        cpus=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        governors=sorted(_governors()),
        busy=busy,
        steal=steal,
        pid_max=_kernel("pid_max"),
        threads_max=_kernel("threads-max"),
        max_map_count=_kernel("max_map_count", "vm"),
        open_files=_open_files(),
        git=git,
        spaces=[*_space("builds and cells without an engine", _STORE), *_space("results", folder)],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        tools=[(name, shutil.which(name) is not None) for name in _TOOLS],
    )


def _load() -> tuple[float | None, float | None]:
    """Return what runs beside this process, in processors, and the share that is stolen."""
    share = psutil.cpu_times_percent(interval=_LOOK_S)
    cpus = os.cpu_count() or 1
    steal = getattr(share, "steal", None)
    idle = share.idle + getattr(share, "iowait", 0.0) + (steal or 0.0)
    busy = max(0.0, 100.0 - idle) / 100 * cpus
    return busy, None if steal is None else steal / 100


def _governors() -> Iterator[str]:
    for path in Path(_SCALING).glob("cpu[0-9]*/cpufreq/scaling_governor"):
        yield path.read_text().strip()


def _kernel(name: str, area: str = "kernel") -> int | None:
    try:
        return int(Path("/proc/sys", area, name).read_text())
    except (OSError, ValueError):
        return None


def _open_files() -> int:
    """Return how many files a cell of this user can have open: root may raise the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = _kernel("nr_open", "fs")
    return ceiling if ceiling and (os.geteuid() == 0 or hard == resource.RLIM_INFINITY) else hard


def _space(what: str, where: Path) -> Iterator[Space]:
    try:
        found = os.statvfs(where)
    except OSError:  # what is not there is told by what needs it
        return
    inodes = found.f_favail if found.f_files else None
    yield Space(
        what=what,
        where=str(where),
        free_bytes=found.f_bavail * found.f_frsize,
        free_inodes=inodes,
    )
