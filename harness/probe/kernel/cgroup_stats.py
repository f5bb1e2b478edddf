"""Read the limits, the event counters and the usage of a cgroup."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from harness.probe.kernel.cgroup import Cgroup, Folder
from harness.probe.kernel.files import read_int, read_pairs, read_pressure_ms, read_text

_UNLIMITED_FROM = 1 << 60  # without a limit v1 shows the largest multiple of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupLimits:
    """The limits that hold in a cgroup; None without a limit.

    Args:
        cpus: Quota over period.
        swap_bytes: Swap on top of memory.
        pids: Processes and threads.
    """

    cpus: float | None
    memory_bytes: int | None
    swap_bytes: int | None
    pids: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupCounters:
    """Event counters, which only rise; None for those that the kernel does not keep.

    Args:
        oom_kills: Processes killed for lack of memory.
        oom_events: Failed allocations.
        pids_refused: Refused starts of a thread or process.
        nr_throttled: Periods in which the CPU quota ran out.
        throttled_ms: Total time of throttling.
        cpu_pressure_ms: Time in which at least one thread waited for a CPU (PSI).
        memory_pressure_ms: Time in which at least one thread waited for memory (PSI).
    """

    oom_kills: int | None = None
    oom_events: int | None = None
    pids_refused: int | None = None
    nr_throttled: int | None = None
    throttled_ms: float | None = None
    cpu_pressure_ms: float | None = None
    memory_pressure_ms: float | None = None

    def since(self, before: "CgroupCounters") -> Mapping[str, float | None]:
        """Return the increase of each counter, by its name with dashes."""
        names = [field.name for field in fields(self)]
        return {
            name.replace("_", "-"): _increase(getattr(before, name), getattr(self, name))
            for name in names
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupUsage:
    """The current usage of a cgroup; None for what the kernel does not count.

    Args:
        pids: Processes and threads.
        pids_peak: The kernel's own peak of `pids`.
        anonymous_bytes: Memory without a file behind it.
        memory_peak_bytes: The kernel's own peak, page cache included.
    """

    pids: int | None = None
    pids_peak: int | None = None
    anonymous_bytes: int | None = None
    memory_peak_bytes: int | None = None


def read_limits(cgroup: Cgroup) -> CgroupLimits:
    """Return the lowest limits of a cgroup and its parents."""
    memory_bytes = _lowest(cgroup, "memory", "memory.max", v1="memory.limit_in_bytes")
    swap_bytes = _lowest(cgroup, "memory", "memory.swap.max", v1="memory.memsw.limit_in_bytes")
    memory = cgroup.folder("memory")
    if swap_bytes is not None and memory is not None and memory.version == 1:
        # v1 limits the sum of both
        swap_bytes = None if memory_bytes is None else swap_bytes - memory_bytes
    cpu = cgroup.folder("cpu")
    return CgroupLimits(
        cpus=min(_quotas(cpu), default=None) if cpu else None,
        memory_bytes=memory_bytes,
        swap_bytes=swap_bytes,
        pids=_lowest(cgroup, "pids", "pids.max"),
    )


def read_counters(cgroup: Cgroup) -> CgroupCounters:
    """Return the event counters of a cgroup.

    Source: the kernel's documents cgroup-v1/memory, cgroup-v1/pids and cgroup-v2.
    """
    oom = read_pairs(cgroup.file("memory", "memory.events", v1="memory.oom_control"))
    cpu = read_pairs(cgroup.file("cpu", "cpu.stat"))
    throttled_ns = cpu.get("throttled_time", cpu.get("throttled_usec", 0) * 1000)
    unified = cgroup.v2.path if cgroup.v2 else None
    if unified and not (unified / "cgroup.events").exists():
        unified = None  # the root cgroup: its pressure is that of the whole host
    return CgroupCounters(
        oom_kills=oom.get("oom_kill"),
        oom_events=oom.get("oom"),
        pids_refused=read_pairs(cgroup.file("pids", "pids.events")).get("max"),
        nr_throttled=cpu.get("nr_throttled"),
        throttled_ms=throttled_ns / 1e6 if "nr_throttled" in cpu else None,
        cpu_pressure_ms=read_pressure_ms(unified and unified / "cpu.pressure"),
        memory_pressure_ms=read_pressure_ms(unified and unified / "memory.pressure"),
    )


def read_usage(cgroup: Cgroup) -> CgroupUsage:
    """Return the current usage of a cgroup.

    Source: the kernel's documents cgroup-v1/memory, cgroup-v1/pids and cgroup-v2.
    """
    memory = read_pairs(cgroup.file("memory", "memory.stat"))
    peak = cgroup.file("memory", "memory.peak", v1="memory.max_usage_in_bytes")
    return CgroupUsage(
        pids=read_pids(cgroup),
        pids_peak=read_int(cgroup.file("pids", "pids.peak")),
        anonymous_bytes=memory.get("total_rss", memory.get("anon")),
        memory_peak_bytes=read_int(peak),
    )


def read_pids(cgroup: Cgroup) -> int | None:
    """Return the number of processes and threads in a cgroup."""
    return read_int(cgroup.file("pids", "pids.current"))


def read_cpu_ms(cgroup: Cgroup) -> float | None:
    """Return the CPU time that a cgroup has used so far.

    Source: the kernel's documents cgroup-v1/cpuacct and cgroup-v2.
    """
    if "cpuacct" in cgroup.v1:
        used_ns = read_int(cgroup.file("cpuacct", "cpuacct.usage"))
        return None if used_ns is None else used_ns / 1e6
    used_us = read_pairs(cgroup.file("cpuacct", "cpu.stat")).get("usage_usec")
    return None if used_us is None else used_us / 1000


def _lowest(cgroup: Cgroup, controller: str, name: str, *, v1: str = "") -> int | None:
    folder = cgroup.folder(controller)
    if folder is None:
        return None
    file = v1 if v1 and folder.version == 1 else name
    limits = (read_int(each.path / file) for each in folder.up())
    return min((n for n in limits if n is not None and n < _UNLIMITED_FROM), default=None)


def _quotas(cpu: Folder) -> Iterator[float]:
    for folder in cpu.up():
        if folder.version == 1:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            words = [(read_text(folder.path / name) or "").strip() for name in names]
        else:
            words = (read_text(folder.path / "cpu.max") or "max").split()
        if len(words) == 2 and words[0].isdigit():
            yield int(words[0]) / int(words[1])


def _increase(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else round(after - before, 3)
