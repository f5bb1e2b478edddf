"""The control groups that this process can create, in v1 or in v2."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

NEEDED = ("memory", "cpu", "pids")
_OPTIONAL = ("cpuacct",)  # v1 only: the probe reads the cell's CPU time there
_READ_EACH_S = 0.2  # one read takes a third of a millisecond
Number = TypeVar("Number", int, float)
_KERNEL = Path("/proc/sys/kernel")
_DEFAULT = 32_768  # the kernel's default, where the file is missing
_SHARE = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A control group below which others can be made.

    Args:
        version: 1 or 2.
        folders: By controller; in v2 they are all the same.
    """

    version: int
    folders: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class _Mount:
    version: int
    controllers: frozenset[str]
    root: PurePosixPath
    point: Path


def find_place(own: Path = Path("/proc/self")) -> tuple[Place | None, str]:
    """Return the place for new control groups, or None and the reason.

    Args:
        own: The folder of this process in /proc.

    Source: cgroups(7), proc_pid_mountinfo(5), and the kernel's cgroup-v2 document, "No Internal Process Constraint".
    """
    try:
        mounts = list(_parse_mounts((own / "mountinfo").read_text()))
        paths = dict(_parse_membership((own / "cgroup").read_text()))
    except OSError as error:
        return None, f"the kernel has no control groups: {error}"
    first = _find_v1(mounts, paths)
    if first is not None:
        return _if_writable(first)
    unified = [mount for mount in mounts if mount.version == 2]
    if not unified or "" not in paths:
        return None, "no cgroup file system is mounted"
    return _find_v2(unified[0], paths[""])


def find_group(pid: int, name: str, proc: Path = Path("/proc")) -> Place | None:
    """Return the control group of that name around a process; None if hidden.

    Args:
        pid: A process of this machine and namespace.
        name: A part of its groups' names, which excludes other processes.
        proc: The folder of the processes.
    """
    try:
        mounts = list(_parse_mounts((proc / "self/mountinfo").read_text()))
        paths = dict(_parse_membership((proc / str(pid) / "cgroup").read_text()))
    except OSError:
        return None
    place = _find_v1(mounts, paths)
    unified = [mount for mount in mounts if mount.version == 2]
    if place is None and unified and "" in paths:
        place = Place(version=2, folders=dict.fromkeys(NEEDED, _locate(unified[0], paths[""])))
    is_its_own = place is not None and all(name in str(at) for at in place.folders.values())
    return place if is_its_own else None


def enable_controllers(folder: Path) -> str:
    """Enable the controllers that a cell needs; return the reason if that fails."""
    try:
        available = set((folder / "cgroup.controllers").read_text().split())
        missing = [name for name in NEEDED if name not in available]
        if missing:
            return f"{folder} has no {' and no '.join(missing)} controller"
        enabled = set((folder / "cgroup.subtree_control").read_text().split())
        wanted = " ".join(f"+{name}" for name in NEEDED if name not in enabled)
        if wanted:
            (folder / "cgroup.subtree_control").write_text(wanted)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return ""


def _find_v1(mounts: list[_Mount], paths: Mapping[str, PurePosixPath]) -> Place | None:
    folders = {
        name: _locate(mount, paths[name])
        for name in (*NEEDED, *_OPTIONAL)
        for mount in mounts
        if mount.version == 1 and name in mount.controllers and name in paths
    }
    return Place(version=1, folders=folders) if folders.keys() >= set(NEEDED) else None


def _if_writable(place: Place) -> tuple[Place | None, str]:
    for folder in place.folders.values():
        probe = folder / "esc-bench-try"
        try:
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            return None, f"no control group can be made in {folder}: {error.strerror}"
    return place, ""


def _find_v2(mount: _Mount, path: PurePosixPath) -> tuple[Place | None, str]:
    """Return the nearest ancestor group in which this process can create others."""
    own, said = _locate(mount, path), ""
    for folder in (own, *own.parents):
        if not folder.is_relative_to(mount.point):
            break
        place, why = _if_writable(Place(version=2, folders=dict.fromkeys(NEEDED, folder)))
        why = why if place is None else enable_controllers(folder)
        if place is not None and not why:
            return place, ""
        said = said or why
    return None, said


def _parse_mounts(text: str) -> Iterator[_Mount]:
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        where, kind = before.split(), after.split()
        if kind[:1] in (["cgroup"], ["cgroup2"]):
            yield _Mount(
                version=1 if kind[0] == "cgroup" else 2,
                controllers=frozenset(kind[-1].split(",")),
                root=PurePosixPath(_unescape(where[3])),
                point=Path(_unescape(where[4])),
            )


def _parse_membership(text: str) -> Iterator[tuple[str, PurePosixPath]]:
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, PurePosixPath(path)


def _locate(mount: _Mount, path: PurePosixPath) -> Path:
    """Find a group's folder; in a container it may be the mount itself."""
    if path.is_relative_to(mount.root):
        inner = mount.point / path.relative_to(mount.root)
        if ".." not in inner.parts and inner.is_dir():
            return inner
    return mount.point


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


class CgroupAccount:
    """The resource usage of one control group, v1 or v2.

    Args:
        place: The group itself.
        now_s: A monotonic clock.
    """

    def __init__(self, place: Place, now_s: Callable[[], float] = time.monotonic) -> None:
        self._version, self._folders = place.version, place.folders
        self._now_s = now_s
        self._usage = Usage()
        self._looked_at = now_s()  # the launcher is in the cell's group too, for a moment

    def look(self) -> None:
        """Read the usage now, unless it was read a moment ago."""
        if self._now_s() - self._looked_at >= _READ_EACH_S:
            self._looked_at = self._now_s()
            self.look_now()

    def look_now(self) -> None:
        """Read the usage now.

        Source: the kernel's documents cgroup-v1/memory, cgroup-v1/cpuacct, cgroup-v1/pids and cgroup-v2.
        """
        memory, pids = self._folders["memory"], self._folders["pids"]
        stat = read_pairs(memory / "memory.stat")
        peak = "memory.max_usage_in_bytes" if self._version == 1 else "memory.peak"
        self._usage.take(
            Usage(
                cpu_ms=self._cpu_ms(),
                memory_peak_bytes=read_number(memory / peak),
                rss_peak_bytes=stat.get("total_rss", stat.get("anon")),
                pids_peak=read_number(pids / "pids.current"),
            )
        )

    def evidence(self) -> Mapping[str, object]:
        """Return the usage by the names of the record, as far as the kernel counts."""
        return self._usage.evidence()

    def _cpu_ms(self) -> float | None:
        if self._version == 1:
            folder = self._folders.get("cpuacct")
            used_ns = read_number(folder / "cpuacct.usage") if folder else None
            return None if used_ns is None else round(used_ns / 1e6, 1)
        used_us = read_pairs(self._folders["cpu"] / "cpu.stat").get("usage_usec")
        return None if used_us is None else round(used_us / 1e3, 1)


def read_pairs(path: Path) -> Mapping[str, int]:
    """Return the `NAME NUMBER` lines of a file; empty without the file."""
    with suppress(OSError):
        lines = (line.partition(" ") for line in path.read_text().splitlines())
        return {name: int(value) for name, _, value in lines if value.isdigit()}
    return {}


def read_number(path: Path) -> int | None:
    """Return the number in a file; None without the file, or for `max`."""
    with suppress(OSError):
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None
    return None


class Account(Protocol):
    """A source of the resource usage of one cell."""

    def look(self) -> None:
        """Read the usage now."""

    def evidence(self) -> Mapping[str, object]:
        """Return the usage by the names of the record, without what is not counted."""


@dataclass(slots=True)
class Usage:
    """The resource usage of one cell; None without a source.

    Args:
        cpu_ms: Processor time of all its processes.
        memory_peak_bytes: The kernel's peak, with page cache.
        rss_peak_bytes: The peak of anonymous memory.
        pids_peak: The most processes and threads that were read. The kernel's own peak includes the launcher.
    """

    cpu_ms: float | None = None
    memory_peak_bytes: int | None = None
    rss_peak_bytes: int | None = None
    pids_peak: int | None = None

    def take(self, seen: "Usage") -> None:
        """Add the usage of this moment; a cell that has just ended has none."""
        self.cpu_ms = _most(self.cpu_ms, seen.cpu_ms)
        self.memory_peak_bytes = _most(self.memory_peak_bytes, seen.memory_peak_bytes)
        self.rss_peak_bytes = _most(self.rss_peak_bytes, seen.rss_peak_bytes)
        self.pids_peak = _most(self.pids_peak, seen.pids_peak)

    def evidence(self) -> Mapping[str, object]:
        """Return the known values, by the names of the record."""
        known = {
            "cpu-ms": self.cpu_ms,
            "memory-peak-bytes": self.memory_peak_bytes,
            "rss-peak-bytes": self.rss_peak_bytes,
            "pids-peak": self.pids_peak,
        }
        return {name: value for name, value in known.items() if value is not None}


def _most(before: Number | None, now: Number | None) -> Number | None:
    if not now:
        return before
    return now if before is None else max(before, now)


def backstop_pids(kernel: Path = _KERNEL) -> int:
    """Return three quarters of the process limit of this machine's kernel.

    A fork bomb that stops there leaves the host able to start processes. It is not a requested cap: evidence names it as the default.

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
