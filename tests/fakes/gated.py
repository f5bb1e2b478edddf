"""Runs of a gate, pairs of cells, and log ratios that come out as a test wants them."""

import math
from collections.abc import Mapping, Sequence

from msgspec import structs
from scipy.special import stdtrit

from harness.margins import DEFAULT_MARGINS
from harness.model import Cell, Floor, GateInfo, Margin, RunInfo, Side
from tests.fakes.builders import make_run, ok_cell

_SPREAD = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5)


def make_gate_run(
    *,
    levels: Sequence[int] = (500, 1000),
    margins: Mapping[str, Margin] | None = None,
    floor: Floor | None = None,
    **changes: object,
) -> RunInfo:
    """Make the run of a gate with eight pairs a decision level, by the default margins."""
    gate = GateInfo(margins=dict(DEFAULT_MARGINS if margins is None else margins), floor=floor)
    given = {"kind": "gate", "blocks": 0, "pairs": 8, "gate": gate} | changes
    return structs.replace(make_run(levels=levels), **given)


def make_floor(**deviations: float) -> Floor:
    """Make the noise of a host, by metric with `_` for its marks."""
    names = {"cpu": "cpu-ms/turn", "latency": "latency-infl", "rss": "rss-kb/sess"}
    return Floor(
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
    """Make pairs of ok cells, each side's with the measured fields that are given."""
    return [
        ok_cell(side, level, fields, block=index // 2, pair=index % 2)
        for index, both in enumerate(zip(base, branch, strict=True))
        for side, fields in zip(Side, both, strict=True)
    ]


def logs_of(mean: float, half: float) -> list[float]:
    """Return eight log ratios with that mean, whose 90 % interval is `half` wide to each side."""
    t = float(stdtrit(len(_SPREAD) - 1, 0.95))
    sd = math.sqrt(math.fsum(z * z for z in _SPREAD) / (len(_SPREAD) - 1))
    scale = half * math.sqrt(len(_SPREAD)) / (t * sd)
    return [mean + scale * z for z in _SPREAD]


def logs_with_p(p: float, limit: float, sd: float = 0.02) -> list[float]:
    """Return eight log ratios of which the one-sided test above `limit` says `p`."""
    t = -float(stdtrit(len(_SPREAD) - 1, p))
    own = math.sqrt(math.fsum(z * z for z in _SPREAD) / (len(_SPREAD) - 1))
    mean = limit + t * sd / math.sqrt(len(_SPREAD))
    return [mean + sd / own * z for z in _SPREAD]
