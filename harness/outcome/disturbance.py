"""Disturbed cells: a busy host, or a late simulated model although CPU was free."""

from collections.abc import Sequence

import msgspec

from harness.model.cells import Result
from harness.model.nouns import Caps
from harness.outcome.protocol import ProgressLine

LAG_LIMIT_MS = 50.0
"""The simulated model may be late by this much at the 99th percentile."""

_SHORTEST_MS = 1000.0  # below it, 2 % of two CPUs is less than four ticks of the kernel's clock
_STOLEN_SHARE = 0.02
_CROWDED_SHARE = 0.25
_BUSY_SHARE = 0.8
_BLOCKED = "this happens when a runtime blocks its event loop without using CPU"
_HOST_FIELDS = ("host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms")


def host_account(progress: Sequence[ProgressLine]) -> ProgressLine | None:
    """Return the last line that reports the host's load; None without one."""
    return next((line for line in reversed(progress) if line.host_ms is not None), None)


def host_evidence(progress: Sequence[ProgressLine]) -> dict[str, object]:
    """Return the host's load, by the protocol's names; empty where it is unknown."""
    last = host_account(progress)
    fields = {} if last is None else msgspec.to_builtins(last)
    return {name: fields[name] for name in _HOST_FIELDS if fields}


def find_host_disturbance(progress: Sequence[ProgressLine], caps: Caps) -> str:
    """Return a sentence about CPU time that the box lost to its host; else empty.

    A loss is 2 % stolen by the hypervisor, or other programs that used, on average, all CPUs
    that the box leaves free and a quarter of the box's own.

    Args:
        progress: In order. A report of less than a second is ignored.
        caps: Of the box.
    """
    last = host_account(progress)
    if last is None or last.host_ms is None or last.host_ms < _SHORTEST_MS:
        return ""
    return _others(last, caps, last.host_ms) or _steal(last, caps, last.host_ms)


def _others(last: ProgressLine, caps: Caps, host_ms: float) -> str:
    if last.others_cpu_ms is None or last.host_cpus is None:
        return ""
    others = last.others_cpu_ms / host_ms
    free = max(0.0, last.host_cpus - caps.cpus)
    if others <= free + _CROWDED_SHARE * caps.cpus:
        return ""
    return (
        f"the host was busy: other programs used {others:.1f} of its {last.host_cpus} CPUs, "
        f"and the box needs {caps.cpus:g} (close them, or lower --cpus)"
    )


def _steal(last: ProgressLine, caps: Caps, host_ms: float) -> str:
    stolen_share = (last.steal_ms or 0.0) / (caps.cpus * host_ms)
    if stolen_share <= _STOLEN_SHARE:
        return ""
    return f"the hypervisor stole {stolen_share * 100:.2g} % of the box's CPU time"


def find_idle_lag(result: Result, caps: Caps) -> str:
    """Return a sentence about a model that was late although CPU was free; else empty.

    Args:
        result: A missing figure raises no doubt. Throttling explains the lag when it lasted as
            long as the limit.
        caps: Of the box. Each worker process can use one CPU.
    """
    lag_ms, cpu_s, wall_ms = result.mock_lag_p99_ms, result.cpu_sec, result.wall_ms
    if lag_ms is None or cpu_s is None or not wall_ms or lag_ms <= LAG_LIMIT_MS:
        return ""
    busy_share = cpu_s * 1000 / wall_ms / min(caps.cpus, result.procs or 1)
    if busy_share >= _BUSY_SHARE or (result.throttled_ms or 0.0) >= LAG_LIMIT_MS:
        return ""
    late = f"the simulated model was late by {lag_ms:,.0f} ms (99th percentile)"
    return f"{late} while the worker was only {busy_share * 100:.0f} % busy"


def explain_idle_lag(result: Result, caps: Caps) -> str:
    """Return a warning about such lag in a cell that counts; empty without lag."""
    lag = find_idle_lag(result, caps)
    cause = "no runtime can have delayed it" if result.arm == "hand" else _BLOCKED
    return lag and f"{lag}; the cell counts: {cause}"
