"""The process that launches one cell: it enforces the caps, and outlives the cell.

A process of its own, so that the cell ends with its run: the launcher kills the cell when its
standard input is closed. The cell prints to the launcher's own streams; its exit goes to a file.
"""

import os
import resource
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from harness.adapters.host.cgroups import NEEDED, Place, enable_controllers, find_place
from harness.adapters.local.cgroup import CgroupEnforcer
from harness.adapters.local.watchdog import SAMPLE_S, WatchdogEnforcer
from harness.model.nouns import Caps

_LAUNCHER = "launcher"
_LAST_S = 10.0
_SIGNALS, _CODES = 128, 256
_CELL = "cell"
GROUP_NOTE = "group.json"
"""The file beside the exit that names the cell's control group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """A cell to launch.

    Args:
        kind: `cgroup`: in a group below the nearest that may be written. `scope`: below the scope of this
            launcher. `watchdog`: without a group.
        name: The name of the control group.
        words: The program and its arguments.
        environment: The whole environment.
        folder: The working directory.
        report: The file that receives the exit.
        open_files: The limit of open files.
    """

    kind: str
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    report: str
    caps: Caps
    open_files: int

    def to_text(self) -> str:
        """Return the spec as one argument of a command line."""
        return msgspec.json.encode(self).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellExit:
    """The exit of a launched cell.

    Args:
        code: The exit code, or minus the signal; None if the cell does not die.
        stopped: Whether it was killed because standard input was closed.
        evidence: What the enforcer counted.
    """

    code: int | None
    stopped: bool
    evidence: Mapping[str, object]


class CapEnforcer(Protocol):
    """Enforces the caps of one cell."""

    def join(self) -> None:
        """Move the calling process in; for a child between fork and exec."""

    def look(self) -> None:
        """Called regularly while the cell runs."""

    def empty(self) -> None:
        """Kill all processes of the cell, and wait until they are gone.

        Raises:
            TimeoutError: A process does not die.
        """

    def evidence(self) -> Mapping[str, object]:
        """Return what was counted, by the names of the record."""

    def remove(self) -> None:
        """Remove what was made for the cell."""


def main(arguments: Sequence[str]) -> int:
    """Run a cell to its end, and write its exit."""
    spec = msgspec.json.decode(arguments[0], type=LaunchSpec)
    try:
        enforcer = _make_enforcer(spec)
    except OSError as error:
        _say(f"the caps cannot be enforced: {error}")
        return 1
    try:
        cell_exit = _run(spec, enforcer)
    finally:
        _remove(enforcer)
    _write(Path(spec.report), msgspec.json.encode(cell_exit))
    return 0


def read_exit(path: Path) -> CellExit | None:
    """Return the exit that a launcher wrote; None if it wrote none."""
    try:
        end = msgspec.json.decode(path.read_bytes(), type=CellExit)
    except (OSError, ValueError, RecursionError):
        return None
    is_code = end.code is None or -_SIGNALS < end.code < _CODES
    return end if is_code else None


def _make_enforcer(spec: LaunchSpec) -> CapEnforcer:
    note = Path(spec.report).with_name(GROUP_NOTE)
    if spec.kind == "watchdog":
        return WatchdogEnforcer(spec.caps)
    if spec.kind == "scope":
        return CgroupEnforcer(_own_scope(), _CELL, spec.caps, note)
    place, why = find_place()
    if place is None:
        raise OSError(why)
    return CgroupEnforcer(place, spec.name, spec.caps, note)


def _remove(enforcer: CapEnforcer) -> None:
    """Remove the enforcer; report what stays, which the next run removes."""
    try:
        enforcer.remove()
    except TimeoutError as error:
        _say(f"the control group stays: {error}")


def _own_scope() -> Place:
    """Return the scope of this launcher, after moving out of it.

    A group that holds processes can hold no capped groups.

    Raises:
        OSError: The scope cannot hold groups.
    """
    path = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    scope = Path("/sys/fs/cgroup", path.lstrip("/"))
    aside = scope / _LAUNCHER
    aside.mkdir(exist_ok=True)
    (aside / "cgroup.procs").write_text("0")
    why = enable_controllers(scope)
    if why:
        raise OSError(why)
    return Place(version=2, folders=dict.fromkeys(NEEDED, scope))


def _run(spec: LaunchSpec, enforcer: CapEnforcer) -> CellExit:
    """Run the cell until it ends, or until standard input is closed."""
    process = subprocess.Popen(
        spec.words,
        env=dict(spec.environment),
        cwd=spec.folder,
        stdin=subprocess.DEVNULL,
        preexec_fn=_before_exec(spec, enforcer),  # noqa: PLW1509  # this process has no threads
        process_group=0,
    )
    stopped = False
    while process.poll() is None and not stopped:
        stopped = _is_stdin_closed(SAMPLE_S)
        enforcer.look()
    return CellExit(code=_end(process, enforcer), stopped=stopped, evidence=enforcer.evidence())


def _end(process: "subprocess.Popen[bytes]", enforcer: CapEnforcer) -> int | None:
    """Kill the rest of the cell; return its exit code, None if a process stays."""
    try:
        enforcer.empty()
        return process.wait(_LAST_S)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        _say(f"the cell does not end: {error}")
        return None


def _before_exec(spec: LaunchSpec, enforcer: CapEnforcer) -> Callable[[], None]:
    def prepare() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = spec.open_files if os.geteuid() == 0 else min(spec.open_files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        enforcer.join()

    return prepare


def _is_stdin_closed(wait_s: float) -> bool:
    """Wait for standard input; return whether it was closed, or anything arrived."""
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(ready)


def _say(text: str) -> None:
    """Print to the stream of the cell's own errors."""
    sys.stderr.write(f"{text}\n")


def _write(path: Path, data: bytes) -> None:
    half = path.with_suffix(".half")
    half.write_bytes(data)
    half.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
