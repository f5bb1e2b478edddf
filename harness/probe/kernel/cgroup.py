"""Find the folders in which a process's cgroup keeps its files: v1, v2 or both."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from harness.probe.kernel.files import PROC, read_text


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a cgroup in one hierarchy.

    Args:
        mount: The topmost visible folder of the hierarchy.
    """

    version: Literal[1, 2]
    path: Path
    mount: Path

    def up(self) -> Iterator["Folder"]:
        """Yield this folder and its parents up to the mount: their limits hold too."""
        for path in (self.path, *self.path.parents):
            if not path.is_relative_to(self.mount):
                return
            yield replace(self, path=path)


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The cgroup of a process.

    Args:
        v1: The folder of each v1 controller, `cpu`, `memory` and so on.
        v2: The folder in the unified hierarchy; None without one.
    """

    v1: Mapping[str, Folder]
    v2: Folder | None

    def folder(self, controller: str) -> Folder | None:
        """Return the folder of a controller: v1 wins on a host with both versions."""
        return self.v1.get(controller, self.v2)

    def file(self, controller: str, name: str, *, v1: str = "") -> Path | None:
        """Return the path of a controller's file, which may have another name in v1."""
        folder = self.folder(controller)
        if folder is None:
            return None
        return folder.path / (v1 if v1 and folder.version == 1 else name)


def read_cgroup(process: int | Literal["self"] = "self", proc: Path = PROC) -> Cgroup:
    """Return the cgroup of a process (by its id), with the mounts visible from here."""
    mountinfo = read_text(proc / "self/mountinfo") or ""
    return parse_cgroup(mountinfo, read_text(proc / str(process) / "cgroup") or "")


def parse_cgroup(mountinfo: str, membership: str) -> Cgroup:
    """Return the cgroup that two files describe; one without folders for empty files.

    Args:
        mountinfo: The text of ``/proc/self/mountinfo``.
        membership: The text of ``/proc/PID/cgroup``.

    Source: proc(5), proc_pid_mountinfo(5), cgroups(7).
    """
    paths = dict(_parse_membership(membership))
    v1: dict[str, Folder] = {}
    v2: Folder | None = None
    for mount in _parse_mounts(mountinfo):
        if mount.version == 2:
            v2 = v2 or (_locate(mount, paths[""]) if "" in paths else None)
            continue
        for controller in mount.controllers & paths.keys() - v1.keys():
            v1[controller] = _locate(mount, paths[controller])
    return Cgroup(v1, v2)


@dataclass(frozen=True, slots=True)
class _Mount:
    version: Literal[1, 2]
    controllers: frozenset[str]
    root: PurePosixPath
    point: Path


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


def _locate(mount: _Mount, path: PurePosixPath) -> Folder:
    """Find a cgroup below its mount.

    In a container the mount may show the container's own cgroup while the path starts at the
    host's root, or the reverse. Where the two do not fit, only the mount is visible.
    """
    inner = mount.point
    if path.is_relative_to(mount.root):
        inner = mount.point / path.relative_to(mount.root)
    is_visible = ".." not in inner.parts and inner.is_dir()
    return Folder(mount.version, inner if is_visible else mount.point, mount.point)


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
