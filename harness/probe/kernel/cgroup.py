"""The files of this process's cgroup, in v1, v2 and hybrid systems."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_UNLIMITED_FROM = 1 << 60  # v1 writes the largest multiple of a page for no limit


@dataclass(frozen=True, slots=True)
class Folder:
    """One controller's files for this process.

    Args:
        version: 1 or 2.
        path: The folder of the process's own cgroup.
        mount: The folder above which there is nothing to see.
    """

    version: int
    path: Path
    mount: Path

    def read(self, name: str) -> str | None:
        """Return a file's text; None when there is no such file."""
        return _read(self.path / name)

    def read_int(self, name: str) -> int | None:
        """Return a file's number; None without the file, or for no limit."""
        return _number(self.read(name))

    def read_pairs(self, name: str) -> dict[str, int]:
        """Return a file of ``key value`` lines; empty when there is no such file."""
        words = (line.split() for line in (self.read(name) or "").splitlines())
        return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}

    def up(self) -> Iterator[Path]:
        """Yield the process's folder, then its ancestors, whose limits hold too."""
        yield self.path
        if self.path.is_relative_to(self.mount):
            for parent in self.path.parents:
                if not parent.is_relative_to(self.mount):
                    return
                yield parent

    def lowest(self, name: str) -> int | None:
        """Return the lowest limit of that name that holds here; None without any."""
        found = [
            n for n in (_number(_read(folder / name)) for folder in self.up()) if n is not None
        ]
        return min(found, default=None)


@dataclass(frozen=True, slots=True)
class _Mount:
    version: int
    controllers: frozenset[str]
    root: PurePosixPath
    point: Path


class Cgroup:
    """The cgroup of a process.

    Args:
        mountinfo: The text of its ``/proc/PID/mountinfo``.
        membership: The text of its ``/proc/PID/cgroup``.

    Source: proc(5), proc_pid_mountinfo(5), cgroups(7).
    """

    def __init__(self, mountinfo: str, membership: str) -> None:
        self._mounts = list(_parse_mounts(mountinfo))
        self._paths = dict(_parse_membership(membership))

    @classmethod
    def of_this_process(cls) -> "Cgroup":
        """Return the cgroup that the probe itself is in."""
        own = Path("/proc/self")
        return cls(_read(own / "mountinfo") or "", _read(own / "cgroup") or "")

    def folder(self, controller: str) -> Folder | None:
        """Return the folder of a controller, in v1 or else in v2; None for neither."""
        for mount in self._mounts:
            if (
                mount.version == 1
                and controller in mount.controllers
                and controller in self._paths
            ):
                return _locate(mount, self._paths[controller])
        return self.unified()

    def unified(self) -> Folder | None:
        """Return the folder in the v2 hierarchy; None without one."""
        for mount in self._mounts:
            if mount.version == 2 and "" in self._paths:
                return _locate(mount, self._paths[""])
        return None


def _parse_mounts(text: str) -> Iterator[_Mount]:
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        where, kind = before.split(), after.split()
        if len(where) > 4 and kind and kind[0] in {"cgroup", "cgroup2"}:
            options = frozenset(kind[-1].split(","))
            version = 2 if kind[0] == "cgroup2" else 1
            root, point = PurePosixPath(_unescape(where[3])), Path(_unescape(where[4]))
            yield _Mount(version, options, root, point)


def _parse_membership(text: str) -> Iterator[tuple[str, PurePosixPath]]:
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, PurePosixPath(path)


def _locate(mount: _Mount, path: PurePosixPath) -> Folder:
    """Find a cgroup below its mount.

    In a container the mount may show the container's cgroup alone while the path is told from the host's root, or the
    other way about: where the two do not fit, the mount itself is what there is to see.
    """
    if path.is_relative_to(mount.root):
        inner = path.relative_to(mount.root)
        if ".." not in inner.parts and (mount.point / inner).is_dir():
            return Folder(mount.version, mount.point / inner, mount.point)
    return Folder(mount.version, mount.point, mount.point)


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _number(text: str | None) -> int | None:
    word = (text or "").strip()
    if not word.isdigit() or int(word) >= _UNLIMITED_FROM:
        return None
    return int(word)
