"""Positive controls: injected regressions of known size that a gate must detect."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.stats.ratios import geometric_mean
from harness.model.cells import Cell
from harness.model.errors import DisturbedError

WORK, THREADS, BYTES, FAILING = (
    "SCALE_INJECT_WORK",
    "SCALE_INJECT_THREADS",
    "SCALE_INJECT_BYTES",
    "SCALE_INJECT_FAILING",
)
TRIAL_WORK = 2000
"""Iterations per turn of the trial that measures their cost."""

_CPU_SHARE, _BYTES_SHARE = 0.10, 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One injected regression.

    Args:
        name: The regression and its size.
        environment: Makes the probe inject it.
        metric: The estimated metric that it changes; empty for an outcome or a count.
        effect: The expected change of this metric, as a share of the base.
    """

    name: str
    environment: dict[str, str]
    metric: str = ""
    effect: float = 0.0


def make_controls(undisturbed: Sequence[Cell], trial: Sequence[Cell]) -> list[Control]:
    """Return controls that are sized to the runtime.

    Args:
        undisturbed: Cells of the plain build at the level of the controls, at least one.
        trial: The same with `TRIAL_WORK` iterations per turn.

    Returns:
        10 % more CPU a turn, one more thread a session, 20 % more bytes a session, and one
        failing session in 1,000 (or of the level, if it is smaller).

    Raises:
        DisturbedError: The cells do not show the cost of the work, CPU or memory.
    """
    cpu_ms, peak_kb = (
        _mean(undisturbed, "cpu_ms_per_turn"),
        _mean(undisturbed, "peak_rss_mb") * 1024,
    )
    cost_ms = (_mean(trial, "cpu_ms_per_turn") - cpu_ms) / TRIAL_WORK
    if cost_ms <= 0 or not cpu_ms or not peak_kb:
        msg = (
            f"{TRIAL_WORK:,} iterations per turn had no measurable cost: the controls have no size"
        )
        raise DisturbedError(msg, hint="close other programs, and run it again")
    work = max(1, round(cpu_ms * _CPU_SHARE / cost_ms))
    level = undisturbed[0].slot.level
    own_kb = (peak_kb - _mean(undisturbed, "base_rss_mb") * 1024) / level
    extra = max(1, round(own_kb * _BYTES_SHARE * 1024))
    one_in = min(1000, level)
    return [
        Control(
            name=f"+{_CPU_SHARE * 100:.0f} % CPU a turn",
            environment={WORK: str(work)},
            metric="cpu-ms/turn",
            effect=_CPU_SHARE,
        ),
        Control(name="+1 thread a session", environment={THREADS: "1"}),
        Control(
            name=f"+{_BYTES_SHARE * 100:.0f} % bytes a session",
            environment={BYTES: str(extra)},
            metric="rss-kb/sess",
            effect=extra * level / 1024 / peak_kb,
        ),
        Control(name=f"1 session in {one_in:,} fails", environment={FAILING: str(one_in)}),
    ]


def _mean(cells: Sequence[Cell], name: str) -> float:
    values = [getattr(cell.result, name) for cell in cells if cell.result is not None]
    known = [value for value in values if value]
    return geometric_mean(known) if known else 0.0
