"""The process that keeps one cell: it makes the cage, starts the cell in it, and outlives it to say what happened.

It is a process of its own so that a cell ends when whoever asked for it is gone: standard input is the wire, and when that is closed the cell is killed.
What the cell prints goes to the keeper's own streams; its report goes to a file.
"""

import json
import os
import resource
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from harness.adapters.host.cgroups import NEEDED, Place, find_place, make_room
from harness.adapters.local.caps import Cage, CageCaps
from harness.adapters.local.cgroup import CgroupCage
from harness.adapters.local.watchdog import SAMPLE_S, WatchdogCage

_KEPT = "keeper"
_LAST_S = 10.0
_SIGNALS, _CODES = 128, 256
_CELL = "cell"
GROUP_NOTE = "group.json"
"""The file beside the report that says which control group was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One cell to be kept.

    Args:
        kind: `cgroup` below the group that this process is in or the nearest that lets us; `scope` below the one that was made for this keeper alone; `watchdog` without one.
        name: Of its control group.
        words: The program and its arguments.
        environment: All of it.
        folder: Where it runs.
        report: The file that says how it ended.
        cpus, memory_bytes, pids: Its caps.
        open_files: How many it may have open.
    """

    kind: str
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    report: str
    cpus: float
    memory_bytes: int
    pids: int | None
    open_files: int

    def to_text(self) -> str:
        """Return it as one argument of a command line."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEnd:
    """How a kept cell ended.

    Args:
        code: Its exit code, or minus the signal; None where it does not die.
        stopped: Whether it was killed because the wire was closed.
        evidence: What the cage did to it.
    """

    code: int | None
    stopped: bool
    evidence: Mapping[str, object]


def main(arguments: Sequence[str]) -> int:
    """Keep a cell to its end, and write the report."""
    errand = Errand(**json.loads(arguments[0]))
    try:
        cage = _make_cage(errand)
    except OSError as error:
        _say(f"no cage for the cell: {error}")
        return 1
    try:
        end = _keep(errand, cage)
    finally:
        _remove(cage)
    _write(Path(errand.report), json.dumps(asdict(end)))
    return 0


def read_report(path: Path) -> KeptEnd | None:
    """Read what a keeper wrote; None where it came to no end."""
    try:
        end = msgspec.json.decode(path.read_bytes(), type=KeptEnd)
    except (OSError, ValueError, RecursionError):
        return None
    is_code = end.code is None or -_SIGNALS < end.code < _CODES
    return end if is_code else None


def _make_cage(errand: Errand) -> Cage:
    note = Path(errand.report).with_name(GROUP_NOTE)
    caps = CageCaps(cpus=errand.cpus, memory_bytes=errand.memory_bytes, pids=errand.pids)
    if errand.kind == "watchdog":
        return WatchdogCage(caps)
    if errand.kind == "scope":
        return CgroupCage(_own_scope(), _CELL, caps, note)
    place, why = find_place()
    if place is None:
        raise OSError(why)
    return CgroupCage(place, errand.name, caps, note)


def _remove(cage: Cage) -> None:
    """Remove the cage; one that stays is told, and is the next run's to remove."""
    try:
        cage.remove()
    except TimeoutError as error:
        _say(f"the cage stays: {error}")


def _own_scope() -> Place:
    """Return the group that this keeper was started in, after stepping aside: one that holds processes can hold no capped groups."""
    path = Path("/proc/self/cgroup").read_text().strip().rpartition("::")[2]
    scope = Path("/sys/fs/cgroup", path.lstrip("/"))
    aside = scope / _KEPT
    aside.mkdir(exist_ok=True)
    (aside / "cgroup.procs").write_text("0")
    why = make_room(scope)
    if why:
        raise OSError(why)
    return Place(version=2, folders=dict.fromkeys(NEEDED, scope))


def _keep(errand: Errand, cage: Cage) -> KeptEnd:
    """Follow the cell to its end, or to that of the wire."""
    process = subprocess.Popen(
        errand.words,
        env=dict(errand.environment),
        cwd=errand.folder,
        stdin=subprocess.DEVNULL,
        preexec_fn=_before_exec(errand, cage),  # noqa: PLW1509  # this process has no threads
        process_group=0,
    )
    stopped = False
    while process.poll() is None and not stopped:
        stopped = _is_cut(SAMPLE_S)
        cage.look()
    return KeptEnd(code=_end(process, cage), stopped=stopped, evidence=cage.evidence())


def _end(process: "subprocess.Popen[bytes]", cage: Cage) -> int | None:
    """Kill what is left, and return how the cell's first process ended; None where something does not die."""
    try:
        cage.empty()
        return process.wait(_LAST_S)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        _say(f"the cell does not end: {error}")
        return None


def _before_exec(errand: Errand, cage: Cage) -> Callable[[], None]:
    def prepare() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = errand.open_files if os.geteuid() == 0 else min(errand.open_files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        cage.join()

    return prepare


def _is_cut(wait_s: float) -> bool:
    """Whether the wire was closed, or anything came over it; waits for that long at most."""
    ready, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(ready)


def _say(text: str) -> None:
    """Tell the run, on the same stream as the cell's own errors."""
    sys.stderr.write(f"{text}\n")


def _write(path: Path, text: str) -> None:
    half = path.with_suffix(".half")
    half.write_text(text)
    half.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
