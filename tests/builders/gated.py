"""Runs of a gate, pairs of cells, and log ratios with given statistics."""

import math
from collections.abc import Mapping, Sequence

from scipy.special import stdtrit

from harness.analysis.comparison import Comparison, compare
from harness.analysis.verdict.overall import judge
from harness.model.cells import Cell
from harness.model.costs import ExactCost, ExactCosts
from harness.model.gate import DEFAULT_MARGINS, GateInfo, Margin, NoiseFloor
from harness.model.nouns import Arm, Load, Outcome, Side
from harness.model.runs import RunInfo
from tests.builders.model import change_run, make_cell, make_run, ok_cell

TENTHS = DEFAULT_MARGINS | {"cpu-ms/turn": Margin(amount=0.10, is_relative=True)}
"""The default margins, with 10 % for CPU."""

_SPREAD = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5)


def make_gate_run(
    *,
    levels: Sequence[int] = (500, 1000),
    margins: Mapping[str, Margin] | None = None,
    noise_floor: NoiseFloor | None = None,
    **changes: object,
) -> RunInfo:
    """Make the run of a gate with eight pairs at each decision level."""
    gate = GateInfo(margins=dict(TENTHS if margins is None else margins), noise_floor=noise_floor)
    given = {"kind": "gate", "blocks": 0, "pairs": 8, "gate": gate} | changes
    return change_run(make_run(levels=levels), **given)


def make_noise_floor(**deviations: float) -> NoiseFloor:
    """Make a noise floor of `cpu`, `latency` or `rss`."""
    names = {"cpu": "cpu-ms/turn", "latency": "latency-infl", "rss": "rss-kb/sess"}
    return NoiseFloor(
        key="0123456789abcdef",
        measured_at="2026-11-30T12:00:00Z",
        level=500,
        pairs=8,
        deviations={names[name]: value for name, value in deviations.items()},
    )


def make_pairs(
    level: int,
    base: Sequence[Mapping[str, object]],
    branch: Sequence[Mapping[str, object]],
) -> list[Cell]:
    """Make pairs of ok cells from the fields of each side's RESULTs."""
    return [
        ok_cell(side, level, fields, block=index // 2, pair=index % 2)
        for index, both in enumerate(zip(base, branch, strict=True))
        for side, fields in zip(Side, both, strict=True)
    ]


def logs_of(mean: float, half: float) -> list[float]:
    """Return eight log ratios with this mean and 90 % interval of ± `half`."""
    t = float(stdtrit(len(_SPREAD) - 1, 0.95))
    sd = math.sqrt(math.fsum(z * z for z in _SPREAD) / (len(_SPREAD) - 1))
    scale = half * math.sqrt(len(_SPREAD)) / (t * sd)
    return [mean + scale * z for z in _SPREAD]


def logs_with_p(p: float, limit: float, sd: float = 0.02) -> list[float]:
    """Return eight log ratios with p value `p` in the one-sided test above `limit`."""
    t = -float(stdtrit(len(_SPREAD) - 1, p))
    own = math.sqrt(math.fsum(z * z for z in _SPREAD) / (len(_SPREAD) - 1))
    mean = limit + t * sd / math.sqrt(len(_SPREAD))
    return [mean + sd / own * z for z in _SPREAD]


_NOISE = (1.01, 0.99, 1.0, 1.02, 0.98, 1.01, 0.99, 1.0)


def noisy(
    cpu: float = 2.0, *, threads: float = 8, infl: float = 1.5, rss: float = 200.0
) -> list[dict[str, object]]:
    """Return the fields of eight RESULTs, CPU with a noise of 1.3 %."""
    return [
        {
            "cpu_ms_per_turn": cpu * noise,
            "peak_threads": int(threads),
            "latency_infl": infl,
            "rss_kb_per_session": rss,
        }
        for noise in _NOISE
    ]


def eight_pairs(level: int = 500, **branch: float) -> list[Cell]:
    """Make eight pairs at a level, with other figures on the branch."""
    return make_pairs(level, noisy(), noisy(**branch)[::-1])


def fails(
    side: Side, level: int, outcome: Outcome, count: int = 2, pct: float = 0.0
) -> list[Cell]:
    """Make a side's cells at a level that it does not hold, using `pct` of a CPU."""
    evidence = {"cpu-pct": pct}
    return [make_cell(side, level, outcome, pair=pair, evidence=evidence) for pair in range(count)]


def holds(side: Side, level: int, infl: float = 1.5) -> Cell:
    """Make a cell at a level that a side holds."""
    return ok_cell(side, level, latency_infl=infl)


def gated(cells: Sequence[Cell], run: RunInfo | None = None) -> Comparison:
    """Compare the cells of a gate, or of another run."""
    return compare(run or make_gate_run(), cells, complete=True)


def line_of(cells: Sequence[Cell], run: RunInfo | None = None) -> str:
    """Return the headline of the cells."""
    return judge(gated(cells, run)).headline


def counted(*costs: ExactCost) -> ExactCosts:
    """Make the exact costs of a run."""
    return ExactCosts(
        arm=Arm.SC_MEM,
        load=Load(),
        costs=costs,
        levels={},
        missing=(),
        confinement="no network",
        python="3.13",
        wall_s=1.0,
    )
