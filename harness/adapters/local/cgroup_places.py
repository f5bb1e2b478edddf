"""Where this process may make control groups of its own: the files of v1, or of v2."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NEEDED = ("memory", "cpu", "pids")
_ALSO = ("cpuacct",)  # of v1: whose account of CPU time the probe takes as the cell's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A control group below which others can be made.

    Args:
        version: 1 or 2.
        folders: By controller; of v2 they are all the same.
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
    """Return where control groups can be made, and why not where there is None.

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
    """Return the control group of a process whose group is named after something; None where it is not to be seen from here.

    Args:
        pid: The process, if it is one of this machine and namespace.
        name: What the names of its groups hold, so that no other process is taken for it.
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


def make_room(folder: Path) -> str:
    """Have the control groups below a v2 one hold what a cell needs; return why that cannot be."""
    try:
        there = set((folder / "cgroup.controllers").read_text().split())
        missing = [name for name in NEEDED if name not in there]
        if missing:
            return f"{folder} has no {' and no '.join(missing)} controller"
        handed_on = set((folder / "cgroup.subtree_control").read_text().split())
        wanted = " ".join(f"+{name}" for name in NEEDED if name not in handed_on)
        if wanted:
            (folder / "cgroup.subtree_control").write_text(wanted)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return ""


def _find_v1(mounts: list[_Mount], paths: Mapping[str, PurePosixPath]) -> Place | None:
    folders = {
        name: _locate(mount, paths[name])
        for name in (*NEEDED, *_ALSO)
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
    """Go up from this process's own group to the first that lets us make others below it."""
    own, said = _locate(mount, path), ""
    for folder in (own, *own.parents):
        if not folder.is_relative_to(mount.point):
            break
        place, why = _if_writable(Place(version=2, folders=dict.fromkeys(NEEDED, folder)))
        why = why if place is None else make_room(folder)
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
    """Find a group below its mount; in a container the two may not fit, and the mount is what there is."""
    if path.is_relative_to(mount.root):
        inner = mount.point / path.relative_to(mount.root)
        if ".." not in inner.parts and inner.is_dir():
            return inner
    return mount.point


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
