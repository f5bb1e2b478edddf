"""Whether a cell was shaped by its host instead of its subject: CPU that others took, and a mock that is late with CPU to spare."""

from collections.abc import Sequence

from harness.model.cells import Result
from harness.model.nouns import Caps
from harness.outcome.protocol import ProgressLine

LAG_LIMIT_MS = 50.0  # a mock that is later than this has not done what the load says
_LEAST_MS = 1000.0  # in less, 2 % of two CPUs are four ticks of the kernel's clock, and a tick more or less decides
_STOLEN_SHARE = 0.02
_CROWDED_SHARE = 0.25
_BUSY_SHARE = 0.8


def host_account(progress: Sequence[ProgressLine]) -> ProgressLine | None:
    """Return the last line in which the probe took account of its host; None when it never did."""
    return next((line for line in reversed(progress) if line.host_ms is not None), None)


def host_evidence(progress: Sequence[ProgressLine]) -> dict[str, object]:
    """Return the last account, by the names of the protocol; empty without one."""
    last = host_account(progress)
    if last is None:
        return {}
    return {
        "host-cpus": last.host_cpus,
        "host-ms": last.host_ms,
        "steal-ms": last.steal_ms,
        "others-cpu-ms": last.others_cpu_ms,
        "pressure-ms": last.pressure_ms,
    }


def host_trouble(progress: Sequence[ProgressLine], caps: Caps) -> str:
    """Say what the host did with the CPU that the box was to have; empty where that was nothing to speak of.

    The box has lost CPU time when a hypervisor stole 2 % of it, or when others took, on average, all that the box leaves of
    the host's CPUs and a quarter of its own on top.

    Args:
        progress: What the probe printed, in order. An account of less than a second decides nothing.
        caps: The box.
    """
    last = host_account(progress)
    if last is None or last.host_ms is None or last.host_ms < _LEAST_MS:
        return ""
    return _others(last, caps, last.host_ms) or _steal(last, caps, last.host_ms)


def _others(last: ProgressLine, caps: Caps, host_ms: float) -> str:
    if last.others_cpu_ms is None or last.host_cpus is None:
        return ""
    others = last.others_cpu_ms / host_ms
    left_over = max(0.0, last.host_cpus - caps.cpus)
    if others <= left_over + _CROWDED_SHARE * caps.cpus:
        return ""
    return (
        f"the host was busy with other work: others used {others:.1f} of its {last.host_cpus} CPUs, "
        f"and the box leaves {left_over:g} over"
    )


def _steal(last: ProgressLine, caps: Caps, host_ms: float) -> str:
    stolen_share = (last.steal_ms or 0.0) / (caps.cpus * host_ms)
    if stolen_share <= _STOLEN_SHARE:
        return ""
    return f"the hypervisor stole {stolen_share * 100:.2g} % of the box's CPU time"


def idle_lag(result: Result, caps: Caps) -> str:
    """Say that the mock was late although the worker had CPU to spare; empty where it was on time, or busy, or held back.

    A box that was throttled for less than the limit cannot have been made later than the limit by it.

    Args:
        result: The cell's RESULT; one that lacks a figure raises no doubt.
        caps: The box. A worker process uses one of its CPUs at most.
    """
    lag_ms, cpu_s, wall_ms = result.mock_lag_p99_ms, result.cpu_sec, result.wall_ms
    if lag_ms is None or cpu_s is None or not wall_ms or lag_ms <= LAG_LIMIT_MS:
        return ""
    busy_share = cpu_s * 1000 / wall_ms / min(caps.cpus, result.procs or 1)
    if busy_share >= _BUSY_SHARE or (result.throttled_ms or 0.0) >= LAG_LIMIT_MS:
        return ""
    late = f"late by {lag_ms:,.0f} ms (99th percentile)"
    return f"the gauge was {late} with the worker only {busy_share * 100:.0f} % busy"


def counted_lag(result: Result, caps: Caps) -> str:
    """Say what to think of such lag in a cell that counts all the same; empty where there is none."""
    late = idle_lag(result, caps)
    blame = _GAUGE_OR_HOST if result.arm == "hand" else _HELD_UP
    return late and f"{late}, and it counts: {blame}"


_HELD_UP = "a runtime that blocks its loop without using the CPU looks like this"
_GAUGE_OR_HOST = "there is no runtime in it to hold it up"
