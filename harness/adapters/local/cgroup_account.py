"""The account that a control group keeps of those in it."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from harness.adapters.local.cgroup_places import Place
from harness.adapters.usage import Usage

_EACH_S = 0.2  # a look takes a third of a millisecond


class CgroupAccount:
    """The account of one control group, v1 or v2.

    Args:
        place: The group itself.
        now_s: A monotonic clock.
    """

    def __init__(self, place: Place, now_s: Callable[[], float] = time.monotonic) -> None:
        self._version, self._folders = place.version, place.folders
        self._now_s = now_s
        self._usage = Usage()
        self._looked_at = now_s()  # what starts a cell is in its group too, for a moment

    def look(self) -> None:
        """Look at what it uses now, if the last look was not a moment ago."""
        if self._now_s() - self._looked_at >= _EACH_S:
            self._looked_at = self._now_s()
            self.look_now()

    def look_now(self) -> None:
        """Look, however long ago the last look was.

        Source: the kernel's documents cgroup-v1/memory, cgroup-v1/cpuacct, cgroup-v1/pids and cgroup-v2.
        """
        memory, pids = self._folders["memory"], self._folders["pids"]
        stat = read_pairs(memory / "memory.stat")
        peak = "memory.max_usage_in_bytes" if self._version == 1 else "memory.peak"
        self._usage.take(
            Usage(
                cpu_ms=self._cpu_ms(),
                memory_peak_bytes=read_number(memory / peak),
                rss_peak_bytes=stat.get("total_rss", stat.get("anon")),
                pids_peak=read_number(pids / "pids.current"),
            )
        )

    def evidence(self) -> Mapping[str, object]:
        """Return what was used, by the names of the record; what the kernel does not count is not there."""
        return self._usage.evidence()

    def _cpu_ms(self) -> float | None:
        if self._version == 1:
            folder = self._folders.get("cpuacct")
            used_ns = read_number(folder / "cpuacct.usage") if folder else None
            return None if used_ns is None else round(used_ns / 1e6, 1)
        used_us = read_pairs(self._folders["cpu"] / "cpu.stat").get("usage_usec")
        return None if used_us is None else round(used_us / 1e3, 1)


def read_pairs(path: Path) -> Mapping[str, int]:
    """Return the numbers of a file that names each on a line of its own; nothing where there is no such file."""
    with suppress(OSError):
        lines = (line.partition(" ") for line in path.read_text().splitlines())
        return {name: int(value) for name, _, value in lines if value.isdigit()}
    return {}


def read_number(path: Path) -> int | None:
    """Return the number that a file holds; None where there is no such file, or it says `max`."""
    with suppress(OSError):
        text = path.read_text().strip()
        return int(text) if text.isdigit() else None
    return None
