"""The limits, counters and pressure of a cgroup."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from harness.probe.kernel.cgroup import Cgroup, Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The caps of the box; None where there is no such limit.

    Args:
        cpus: Quota over period.
        swap_bytes: Swap beyond memory.
        pids: Processes and threads.
    """

    cpus: float | None
    memory_bytes: int | None
    swap_bytes: int | None
    pids: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Counts that only rise; None where the kernel keeps none.

    Args:
        oom_kills: Processes killed for memory.
        oom_events: Times that memory could not be had.
        pids_refused: Times that a thread or process was refused.
        nr_throttled: Periods in which the quota ran out.
        throttled_ms: For how long it held threads back.
        cpu_pressure_ms: For how long some thread wanted a processor (PSI).
        memory_pressure_ms: For how long some thread waited for memory (PSI).
    """

    oom_kills: int | None = None
    oom_events: int | None = None
    pids_refused: int | None = None
    nr_throttled: int | None = None
    throttled_ms: float | None = None
    cpu_pressure_ms: float | None = None
    memory_pressure_ms: float | None = None

    def since(self, before: "Counters") -> Mapping[str, float | None]:
        """Return by how much each has risen, by its name with dashes."""
        return {
            field.name.replace("_", "-"): _risen(
                getattr(before, field.name), getattr(self, field.name)
            )
            for field in fields(self)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The usage of the cgroup at one moment; None for what is not counted.

    Args:
        pids: Processes and threads.
        pids_peak: The kernel's own peak of that, where it keeps one.
        anonymous_bytes: Memory that no file backs.
        memory_peak_bytes: The kernel's own peak, page cache included.
    """

    pids: int | None = None
    pids_peak: int | None = None
    anonymous_bytes: int | None = None
    memory_peak_bytes: int | None = None


def read_limits(cgroup: Cgroup) -> Limits:
    """Read the caps that hold, this cgroup's or those of one around it."""
    memory, pids, cpu = (cgroup.folder(name) for name in ("memory", "pids", "cpu"))
    memory_bytes, swap_bytes = _memory_limits(memory)
    return Limits(
        cpus=_cpus(cpu),
        memory_bytes=memory_bytes,
        swap_bytes=swap_bytes,
        pids=pids.lowest("pids.max") if pids else None,
    )


def read_counters(cgroup: Cgroup) -> Counters:
    """Read what has happened so far."""
    memory, pids, cpu = (cgroup.folder(name) for name in ("memory", "pids", "cpu"))
    unified = cgroup.unified()
    if unified and unified.read("cgroup.events") is None:
        unified = None  # the root, whose pressure is that of the whole host
    oom = _pairs(memory, "memory.oom_control", "memory.events")
    stat = cpu.read_pairs("cpu.stat") if cpu else {}
    throttled_ns = stat.get("throttled_time", stat.get("throttled_usec", 0) * 1000)
    return Counters(
        oom_kills=oom.get("oom_kill"),
        oom_events=oom.get("oom"),
        pids_refused=pids.read_pairs("pids.events").get("max") if pids else None,
        nr_throttled=stat.get("nr_throttled"),
        throttled_ms=throttled_ns / 1e6 if "nr_throttled" in stat else None,
        cpu_pressure_ms=_pressure_of(unified, "cpu.pressure"),
        memory_pressure_ms=_pressure_of(unified, "memory.pressure"),
    )


def read_usage(cgroup: Cgroup) -> Usage:
    """Read what is held right now."""
    memory, pids = cgroup.folder("memory"), cgroup.folder("pids")
    stat = memory.read_pairs("memory.stat") if memory else {}
    peak = "memory.max_usage_in_bytes" if memory and memory.version == 1 else "memory.peak"
    return Usage(
        pids=read_pids(pids),
        pids_peak=pids.read_int("pids.peak") if pids else None,
        anonymous_bytes=stat.get("total_rss", stat.get("anon")),
        memory_peak_bytes=memory.read_int(peak) if memory else None,
    )


def read_pids(folder: Folder | None) -> int | None:
    """Return the processes and threads that are in the cgroup right now."""
    return folder.read_int("pids.current") if folder else None


def read_cpu_ms(cgroup: Cgroup) -> float | None:
    """Return the processor time that those in the cgroup have taken so far."""
    cpu = cgroup.folder("cpuacct")
    if cpu is None:
        return None
    if cpu.version == 1:
        nanoseconds = cpu.read_int("cpuacct.usage")
        return None if nanoseconds is None else nanoseconds / 1e6
    microseconds = cpu.read_pairs("cpu.stat").get("usage_usec")
    return None if microseconds is None else microseconds / 1000


def parse_pressure(text: str) -> float | None:
    """Return the total of a pressure file's `some` line, in ms, or None."""
    for line in text.splitlines():
        kind, *words = line.split()
        totals = [word.removeprefix("total=") for word in words if word.startswith("total=")]
        if kind == "some" and totals:
            return int(totals[0]) / 1000
    return None


def _pressure_of(folder: Folder | None, name: str) -> float | None:
    return parse_pressure((folder.read(name) if folder else None) or "")


def _memory_limits(memory: Folder | None) -> tuple[int | None, int | None]:
    if memory is None:
        return None, None
    if memory.version == 2:
        return memory.lowest("memory.max"), memory.lowest("memory.swap.max")
    memory_bytes = memory.lowest("memory.limit_in_bytes")
    both_bytes = memory.lowest("memory.memsw.limit_in_bytes")
    if memory_bytes is None or both_bytes is None:
        return memory_bytes, None
    return memory_bytes, both_bytes - memory_bytes


def _cpus(cpu: Folder | None) -> float | None:
    if cpu is None:
        return None
    found = []
    for path in cpu.up():
        folder = Folder(cpu.version, path, cpu.mount)
        if cpu.version == 2:
            words = (folder.read("cpu.max") or "max").split()
        else:
            words = [
                (folder.read(f"cpu.cfs_{name}_us") or "-1").strip() for name in ("quota", "period")
            ]
        if len(words) == 2 and words[0].isdigit():
            found.append(int(words[0]) / int(words[1]))
    return min(found, default=None)


def _pairs(folder: Folder | None, name_v1: str, name_v2: str) -> dict[str, int]:
    return folder.read_pairs(name_v1 if folder.version == 1 else name_v2) if folder else {}


def _risen(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 3)
