"""What this host is, read from its kernel, its disks, git and whatever box answers."""

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil

from harness.adapters.docker.box import DockerBox
from harness.adapters.git.git import QuietGit
from harness.adapters.git.repo import GitRepo
from harness.cli.wiring import open_box
from harness.model.errors import HarnessError, NoBoxError, RepoError
from harness.model.request import BOXES
from harness.verbs.doctor import BoxFact, HostFacts, Space

_LOOK_S = 1.0
_TOOLS = ("valgrind", "strace")
_SCALING = "/sys/devices/system/cpu"
_STORE = Path("/var/tmp")  # noqa: S108  # where builds and cells go without an engine


def find_facts(folder: Path) -> HostFacts:
    """Look at this host; it takes a second, in which its load is watched.

    Args:
        folder: Of the checkout.
    """
    boxes = [_box(kind) for kind in BOXES]
    busy, steal = _load()
    git_version, checkout, can_compare = _git(folder)
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
        git=git_version,
        checkout=checkout,
        can_compare=can_compare,
        spaces=[*_space("builds and cells without an engine", _STORE), *_space("results", folder)],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        tools=[(name, shutil.which(name) is not None) for name in _TOOLS],
    )


def _box(kind: str) -> BoxFact:
    try:
        with closing(open_box(kind, lambda _: None)) as box:
            info = box.describe("")
            engine = (
                f", API {box.api_version} at {info.endpoint}" if isinstance(box, DockerBox) else ""
            )
    except NoBoxError as error:
        return BoxFact(kind=kind, works=False, found=error.what)
    swap = "swap held" if "swap" in info.holds else "swap not held"
    found = f"{info.engine}{engine}, cgroup {info.cgroup}, {swap}"
    return BoxFact(kind=kind, works=True, found=found, doubts=info.warnings)


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


def _git(folder: Path) -> tuple[str, str, bool]:
    try:
        version = QuietGit(Path("/")).run("version").removeprefix("git version ")
    except RepoError as error:
        return error.what, error.hint, False
    try:
        with closing(GitRepo(folder)) as repo:
            refs = repo.find_sides(base=None, main=None)
    except HarnessError as error:
        return f"git {version}", error.what, False
    return (
        f"git {version}",
        f"{refs.branch[:7]} is compared with {refs.base[:7]}, {refs.how}",
        True,
    )


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
