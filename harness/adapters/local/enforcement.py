"""How the caps of a cell are held on this machine: by the kernel, through one of its cgroup versions, or by a watchdog."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.adapters.host.cgroups import Place, find_place
from harness.adapters.local.cgroup import PREFIX, Group
from harness.adapters.local.launcher import GROUP_NOTE, KeptEnd
from harness.adapters.local.watchdog import SAMPLE_S, kill_all
from harness.model.units import show_bytes

MARK = "ESC_BENCH_RUN"
"""The variable by which the processes of a run are known; its value is the run id."""

_BOOTED = Path("/run/systemd/system")  # sd_booted(3)
_HELD = ("cpus", "memory", "swap", "pids")
_V1_SWAP = "memory.memsw.limit_in_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One way to hold the caps.

    Args:
        box: The kind of box that it makes.
        errand: What its keepers are told to do.
        engine: What does it, for people.
        cgroup: The version, for people.
        holds: The caps that are held for certain.
        doubts: What a reader has to know of those that are not.
        before: The words before a keeper's own, by the name of the cell.
        memory_kill: Says by whom and when the cell was killed for memory; empty where it was not.
    """

    box: str
    errand: str
    engine: str
    cgroup: str
    holds: tuple[str, ...]
    doubts: tuple[str, ...]
    before: Callable[[str], Sequence[str]]
    memory_kill: Callable[[KeptEnd], str]


def cell_name(run_id: str, number: str) -> str:
    """Return the name of a cell's control group or scope."""
    return f"{PREFIX}{run_id}-{number}"


def find_holdings() -> tuple[list[Holding], list[str]]:
    """Return the ways in which the kernel might hold caps here, the best first, and why the others do not.

    On a host that systemd runs, cgroup v2 is its own: it is asked for a scope, and what is below that is ours.
    """
    place, why = find_place()
    found, refused = [], []
    if (place is None or place.version == 2) and _BOOTED.is_dir():
        if shutil.which("systemd-run"):
            found.append(_by_systemd())
        else:
            refused.append("systemd runs here, and systemd-run is not on PATH")
    if place is None:
        refused.append(why)
    else:
        found.append(_written_directly(place))
    return found, refused


def watchdog() -> Holding:
    """Return the way of a host without control groups."""
    pinned = hasattr(os, "sched_setaffinity")
    cpu = "pinned to whole CPUs" if pinned else "not capped, because this system pins no process"
    memory = (
        f"Memory is resident memory, looked at every {SAMPLE_S * 1000:g} ms: a cell may go beyond its cap before it is killed, "
        "and what processes share counts for each of them."
    )
    return Holding(
        box="watchdog",
        errand="watchdog",
        engine=f"memory looked at every {SAMPLE_S * 1000:g} ms",
        cgroup="none",
        holds=(),
        doubts=(memory, f"CPU is {cpu}; swap, and the number of processes, are not capped."),
        before=lambda _: (),
        memory_kill=_watchdog_kill,
    )


def _written_directly(place: Place) -> Holding:
    swap = place.version == 2 or (place.folders["memory"] / _V1_SWAP).exists()
    return Holding(
        box="cgroup",
        errand="cgroup",
        engine="no engine: written directly",
        cgroup=f"v{place.version}",
        holds=tuple(name for name in _HELD if name != "swap" or swap),
        doubts=()
        if swap
        else ("The kernel does not account swap: a cell may swap beyond its memory cap.",),
        before=lambda _: (),
        memory_kill=_kernel_kill,
    )


def _by_systemd() -> Holding:
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

    return Holding(
        box="cgroup",
        errand="scope",
        engine="no engine: delegated by systemd",
        cgroup="v2",
        holds=_HELD,
        doubts=(),
        before=before,
        memory_kill=_kernel_kill,
    )


def _kernel_kill(end: KeptEnd) -> str:
    return "its cgroup's oom_kill rose" if end.evidence.get("oom-kills") else ""


def _watchdog_kill(end: KeptEnd) -> str:
    held = end.evidence.get("memory-at-kill-bytes")
    return f"the watchdog saw {show_bytes(held)} and killed it" if isinstance(held, int) else ""


def end_what_is_left(run_id: str, cells: Sequence[Path]) -> None:
    """End what the cells of a run left, in whichever box they ran: the groups that they noted, and the processes that name the run.

    A systemd scope that is empty goes by itself.

    Raises:
        TimeoutError: Something does not die, or a group cannot be removed.
    """
    for cell in cells:
        group = Group.noted_in(cell / GROUP_NOTE)
        if group is not None:
            group.empty()
            group.remove()
    kill_all(lambda: _marked(run_id))


def _marked(run_id: str) -> list[psutil.Process]:
    """Find every process whose environment names the run; those that we may not look at are not ours."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == run_id:
                found.append(process)
    return found
