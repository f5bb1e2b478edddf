"""The ways to enforce caps on this machine: cgroup v1 or v2, systemd, watchdog."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.adapters.host.cgroups import Place, find_place
from harness.adapters.local.cgroup import PREFIX, Group
from harness.adapters.local.launcher import GROUP_NOTE, CellExit
from harness.adapters.local.watchdog import SAMPLE_S, kill_all
from harness.model.units import show_bytes

RUN_ENV = "ESC_BENCH_RUN"
"""The environment variable that marks the processes of a run with its id."""

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_HELD = ("cpus", "memory", "swap", "pids")
_V1_SWAP = "memory.memsw.limit_in_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """One way to enforce the caps.

    Args:
        box: The kind of box.
        kind: As in `LaunchSpec`.
        engine, cgroup: For people.
        holds: The caps that are certainly enforced.
        doubts: Warnings about the others.
        before: Returns the words before the launcher's own, by the name of the cell.
        memory_kill: Returns the evidence of a kill for memory; empty if there was none.
    """

    box: str
    kind: str
    engine: str
    cgroup: str
    holds: tuple[str, ...]
    doubts: tuple[str, ...]
    before: Callable[[str], Sequence[str]]
    memory_kill: Callable[[CellExit], str]


def cell_name(run_id: str, number: str) -> str:
    """Return the name of a cell's control group or scope."""
    return f"{PREFIX}{run_id}-{number}"


def find_enforcements() -> tuple[list[Enforcement], list[str]]:
    """Return the ways by which the kernel may enforce caps, and why others fail.

    systemd owns cgroup v2 where it runs; it delegates a scope.
    """
    place, why = find_place()
    found, refused = [], []
    if (place is None or place.version == 2) and _BOOTED.is_dir():
        if shutil.which("systemd-run"):
            found.append(_by_systemd())
        else:
            refused.append("systemd runs here, but systemd-run is not on PATH")
    if place is None:
        refused.append(why)
    else:
        found.append(_written_directly(place))
    return found, refused


def watchdog_enforcement() -> Enforcement:
    """Return the way without control groups."""
    pinned = hasattr(os, "sched_setaffinity")
    cpu = (
        "pinned to whole CPUs"
        if pinned
        else "not capped, because this system cannot pin processes"
    )
    memory = (
        f"Memory is resident memory, sampled every {SAMPLE_S * 1000:g} ms: a cell may exceed its cap before it is killed, "
        "and shared pages count for each process."
    )
    return Enforcement(
        box="watchdog",
        kind="watchdog",
        engine=f"memory sampled every {SAMPLE_S * 1000:g} ms",
        cgroup="none",
        holds=(),
        doubts=(memory, f"CPU is {cpu}; swap, and the number of processes, are not capped."),
        before=lambda _: (),
        memory_kill=_watchdog_kill,
    )


def _written_directly(place: Place) -> Enforcement:
    swap = place.version == 2 or (place.folders["memory"] / _V1_SWAP).exists()
    return Enforcement(
        box="cgroup",
        kind="cgroup",
        engine="no engine: written directly",
        cgroup=f"v{place.version}",
        holds=tuple(name for name in _HELD if name != "swap" or swap),
        doubts=()
        if swap
        else ("The kernel does not account swap: a cell may swap beyond its memory cap.",),
        before=lambda _: (),
        memory_kill=_kernel_kill,
    )


def _by_systemd() -> Enforcement:
    own = () if os.geteuid() == 0 else ("--user",)

    def before(name: str) -> Sequence[str]:
        properties = ("--property=Delegate=yes", "--property=TasksMax=infinity")
        return (
            "systemd-run",
            *own,
            "--scope",
            "--quiet",
            "--collect",
            f"--unit={name}",
            *properties,
            "--",
        )

    return Enforcement(
        box="cgroup",
        kind="scope",
        engine="no engine: delegated by systemd",
        cgroup="v2",
        holds=_HELD,
        doubts=(),
        before=before,
        memory_kill=_kernel_kill,
    )


def _kernel_kill(cell_exit: CellExit) -> str:
    return "its cgroup's oom_kill rose" if cell_exit.evidence.get("oom-kills") else ""


def _watchdog_kill(cell_exit: CellExit) -> str:
    held = cell_exit.evidence.get("memory-at-kill-bytes")
    return f"the watchdog saw {show_bytes(held)} and killed it" if isinstance(held, int) else ""


def end_leftovers(run_id: str, cells: Sequence[Path]) -> None:
    """Kill the leftovers of a run's cells: noted groups, and marked processes.

    An empty systemd scope disappears by itself.

    Raises:
        TimeoutError: A process does not die, or a group cannot be removed.
    """
    for cell in cells:
        group = Group.noted_in(cell / GROUP_NOTE)
        if group is not None:
            group.empty()
            group.remove()
    kill_all(lambda: _marked(run_id))


def _marked(run_id: str) -> list[psutil.Process]:
    """Return every process whose environment names the run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(RUN_ENV) == run_id:
                found.append(process)
    return found
