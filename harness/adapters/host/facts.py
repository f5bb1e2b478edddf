"""Facts of this host, read from its kernel and its disks."""

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
_STORE = Path("/var/tmp")  # noqa: S108  # the place of builds and cells without an engine


def find_facts(folder: Path, boxes: Sequence[BoxFact], git: GitFact) -> HostFacts:
    """Return the facts of this host, after a second of watching its load.

    Args:
        folder: The root of the checkout.
        boxes: Each kind of box, the best first.
        git: Git, and the checkout.
    """
    busy, steal = _measure_load()
    return HostFacts(
        boxes=boxes,
        cpus=os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        governors=sorted(_find_governors()),
        busy=busy,
        steal=steal,
        pid_max=_kernel_limit("kernel/pid_max"),
        threads_max=_kernel_limit("kernel/threads-max"),
        max_map_count=_kernel_limit("vm/max_map_count"),
        open_files=_find_open_files(),
        git=git,
        spaces=[
            *_find_space("builds and cells without an engine", _STORE),
            *_find_space("results", folder),
        ],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        tools=[(name, shutil.which(name) is not None) for name in _TOOLS],
    )


def _measure_load() -> tuple[float, float | None]:
    """Return the busy processors, and the share of time that a hypervisor steals."""
    share = psutil.cpu_times_percent(interval=_LOOK_S)
    steal = getattr(share, "steal", None)
    idle = share.idle + getattr(share, "iowait", 0.0) + (steal or 0.0)
    busy = max(0.0, 100.0 - idle) / 100 * (os.cpu_count() or 1)
    return busy, None if steal is None else steal / 100


def _find_governors() -> Iterator[str]:
    for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"):
        yield path.read_text().strip()


def _kernel_limit(name: str) -> int | None:
    try:
        return int(Path("/proc/sys", name).read_text())
    except (OSError, ValueError):
        return None


def _find_open_files() -> int:
    """Return the most files that a cell can open; root may raise the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = _kernel_limit("fs/nr_open")
    return ceiling if ceiling and (os.geteuid() == 0 or hard == resource.RLIM_INFINITY) else hard


def _find_space(what: str, where: Path) -> Iterator[Space]:
    try:
        found = os.statvfs(where)
    except OSError:  # missing: reported by the verb that needs it
        return
    yield Space(
        what=what,
        where=str(where),
        free_bytes=found.f_bavail * found.f_frsize,
        free_inodes=found.f_favail if found.f_files else None,
    )
