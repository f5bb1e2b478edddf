"""Positive controls: regressions of a known size, which a gate has to catch."""

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
"""Iterations a turn by which it is found out what one of them costs: large against the noise of a cell."""

_CPU_SHARE, _BYTES_SHARE = 0.10, 0.20


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One injected regression.

    Args:
        name: What is made worse, and by how much.
        environment: What makes the probe so.
        metric: The estimated metric that it moves; empty where it moves an outcome or a count alone.
        effect: By what share of the base it moves that metric, as far as is known beforehand.
    """

    name: str
    environment: dict[str, str]
    metric: str = ""
    effect: float = 0.0


def make_controls(undisturbed: Sequence[Cell], trial: Sequence[Cell]) -> list[Control]:
    """Size the controls to the runtime as it is.

    Args:
        undisturbed: Cells of the plain build at the level at which they will run, at least one.
        trial: The same with `TRIAL_WORK` iterations a turn.

    Returns:
        10 % more CPU a turn, a thread a session, 20 % more bytes a session, and one session in a thousand (or of the level, if that is less) that fails.

    Raises:
        DisturbedError: The cells do not show what the work costs, or what there is to add to.
    """
    cpu_ms, peak_kb = (
        _mean(undisturbed, "cpu_ms_per_turn"),
        _mean(undisturbed, "peak_rss_mb") * 1024,
    )
    cost_ms = (_mean(trial, "cpu_ms_per_turn") - cpu_ms) / TRIAL_WORK
    if cost_ms <= 0 or not cpu_ms or not peak_kb:
        msg = f"{TRIAL_WORK:,} iterations a turn cost nothing that can be seen, so that no control can be sized"
        raise DisturbedError(msg, hint="see that the host is quiet, and run it again")
    work = max(1, round(cpu_ms * _CPU_SHARE / cost_ms))
    level = undisturbed[0].slot.level
    own_kb = (peak_kb - _mean(undisturbed, "base_rss_mb") * 1024) / level
    extra = max(1, round(own_kb * _BYTES_SHARE * 1024))
    return [
        Control(
            name=f"+{_CPU_SHARE:.0%} CPU a turn".replace("%", " %"),
            environment={WORK: str(work)},
            metric="cpu-ms/turn",
            effect=_CPU_SHARE,
        ),
        Control(name="+1 thread a session", environment={THREADS: "1"}),
        Control(
            name=f"+{_BYTES_SHARE:.0%} bytes a session".replace("%", " %"),
            environment={BYTES: str(extra)},
            metric="rss-kb/sess",
            effect=extra * level / 1024 / peak_kb,
        ),
        Control(
            name=f"1 session in {min(1000, level):,} fails",
            environment={FAILING: str(min(1000, level))},
        ),
    ]


def _mean(cells: Sequence[Cell], name: str) -> float:
    values = [getattr(cell.result, name) for cell in cells if cell.result is not None]
    known = [value for value in values if value]
    return geometric_mean(known) if known else 0.0
