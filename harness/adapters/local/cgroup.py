"""One control group for one cell: made with its caps, read, emptied, removed."""

import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from harness.adapters.host.cgroups import NEEDED, CgroupAccount, Place, backstop_pids, read_pairs
from harness.model.nouns import Caps

_PERIOD_US = 100_000
_EMPTYING_S = 30.0
_POLL_S = 0.01
PREFIX = "esc-bench-"
"""The prefix of the name of each cell's group or scope."""


def _to_path(kind: type, value: object) -> object:
    """Decode a path."""
    if kind is not Path or not isinstance(value, str):
        msg = "not a path"
        raise ValueError(msg)
    return Path(value)


def _is_ours(folder: Path) -> bool:
    is_plain = folder.is_absolute() and ".." not in folder.parts and "\0" not in str(folder)
    return is_plain and any(part.startswith(PREFIX) for part in folder.parts)


class Group:
    """A control group that may exist.

    Args:
        version: 1 or 2.
        folders: By controller.
    """

    def __init__(self, version: int, folders: Mapping[str, Path]) -> None:
        self.version = version
        self.folders = folders
        self.unique = list(dict.fromkeys(folders.values()))

    @classmethod
    def noted_in(cls, note: Path) -> "Group | None":
        """Return the group that a note names; None without a valid note.

        The group will be killed and removed, and a cell of the same user could write the note. A note is
        therefore valid only if it names a group of this bench, or one below.
        """
        try:
            version, folders = msgspec.json.decode(
                note.read_bytes(), type=tuple[Literal[1, 2], dict[str, Path]], dec_hook=_to_path
            )
        except (OSError, ValueError, RecursionError):
            return None
        is_ours = set(NEEDED) <= folders.keys() and all(map(_is_ours, folders.values()))
        return cls(version, folders) if is_ours else None

    def note(self, path: Path) -> None:
        """Write a note of the group, for the run that cleans up after a killed one."""
        named = {name: str(folder) for name, folder in self.folders.items()}
        path.write_text(json.dumps([self.version, named]))

    def empty(self) -> None:
        """Kill all processes in the group, and wait until they are gone.

        Raises:
            TimeoutError: A process does not die.
        """
        deadline = time.monotonic() + _EMPTYING_S
        with suppress(OSError):  # no process can fork faster than it is killed
            (self.folders["pids"] / "pids.max").write_text("0")
        while pids := self._pids():
            if time.monotonic() > deadline:
                msg = f"{len(pids)} processes do not die, the first of them {pids[0]}"
                raise TimeoutError(msg)
            self._kill(pids)
            time.sleep(_POLL_S)

    def remove(self) -> None:
        """Remove the group, once it is empty.

        Raises:
            TimeoutError: It does not become empty.
        """
        for folder in self.unique:
            deadline = time.monotonic() + _EMPTYING_S
            while folder.exists():
                with suppress(OSError):
                    folder.rmdir()
                    break
                if time.monotonic() > deadline:
                    msg = f"{folder} cannot be removed"
                    raise TimeoutError(msg)
                time.sleep(_POLL_S)

    def _pids(self) -> list[int]:
        """Return the processes in the group; none if the group is gone."""
        with suppress(FileNotFoundError):
            return [
                int(word) for word in (self.folders["pids"] / "cgroup.procs").read_text().split()
            ]
        return []

    def _kill(self, pids: list[int]) -> None:
        if self.version == 2 and _write_if_there(self.folders["pids"] / "cgroup.kill", "1"):
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class CgroupEnforcer:
    """The control group of a cell, v1 or v2, which enforces its caps.

    Args:
        place: The parent group.
        name: Its name, the same in each hierarchy.
        note: The file that names it, written before it is made.

    Raises:
        OSError: It cannot be made, or a cap cannot be set; nothing is left.
    """

    def __init__(self, place: Place, name: str, caps: Caps, note: Path) -> None:
        folders = {controller: at / name for controller, at in place.folders.items()}
        self._group = Group(place.version, folders)
        self._version, self._folders = place.version, folders
        self._account = CgroupAccount(Place(version=place.version, folders=folders))
        self._group.note(note)
        try:
            for folder in self._group.unique:
                folder.mkdir()
            self._limit(caps)
        except OSError:
            self._group.remove()
            raise

    def join(self) -> None:
        """Move the calling process in; for a child between fork and exec."""
        for folder in self._group.unique:
            (folder / "cgroup.procs").write_text("0")

    def look(self) -> None:
        """Sample the usage; the kernel enforces the caps."""
        self._account.look()

    def empty(self) -> None:
        """Kill all processes in the group, and wait until they are gone.

        Raises:
            TimeoutError: A process does not die.
        """
        self._group.empty()

    def evidence(self) -> Mapping[str, object]:
        """Return usage and kills by the names of the record; None if not counted."""
        memory, pids = self._folders["memory"], self._folders["pids"]
        events = "memory.oom_control" if self._version == 1 else "memory.events"
        self._account.look_now()
        return {
            **self._account.evidence(),
            "oom-kills": read_pairs(memory / events).get("oom_kill"),
            "pids-refused": read_pairs(pids / "pids.events").get("max"),
        }

    def remove(self) -> None:
        """Remove the group."""
        self._group.remove()

    def _limit(self, caps: Caps) -> None:
        quota_us = round(caps.cpus * _PERIOD_US)
        memory, cpu, pids = (self._folders[name] for name in ("memory", "cpu", "pids"))
        if self._version == 1:
            (memory / "memory.limit_in_bytes").write_text(str(caps.memory_bytes))
            _write_if_there(memory / "memory.memsw.limit_in_bytes", str(caps.memory_bytes))
            (cpu / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (cpu / "cpu.cfs_quota_us").write_text(str(quota_us))
        else:
            (memory / "memory.max").write_text(str(caps.memory_bytes))
            _write_if_there(memory / "memory.swap.max", "0")
            (cpu / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")
        (pids / "pids.max").write_text(str(caps.pids or backstop_pids()))


def _write_if_there(path: Path, text: str) -> bool:
    """Write to a file that not every kernel has; return whether it exists."""
    if not path.exists():
        return False
    path.write_text(text)
    return True
