"""The noise of a host: from pairs of identical builds, and how long it is believed."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from harness.analysis.comparison import Comparison
from harness.analysis.levels import paired_values
from harness.analysis.stats.ratios import deviation, log_ratios
from harness.model.gate import NoiseFloor
from harness.model.metrics import ESTIMATED
from harness.model.runs import RunInfo

_BELIEVED = timedelta(days=1)


def noise_key(run: RunInfo) -> str:
    """Return the name under which a run's noise is kept: one of host, box, caps, arm and load."""
    box = run.box
    base = run.sides[0]
    what = (
        (box.host, box.host_cpus, box.host_memory_bytes, box.endpoint, box.box, box.engine),
        run.caps,
        run.load,
        base.drive.arm,
        sorted(base.drive.environment.items()),
    )
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:16]


def find_noise_floor(comparison: Comparison, level: int) -> NoiseFloor:
    """Take the noise from a comparison of identical builds.

    Args:
        comparison: Of kind A/A.
        level: Of whose pairs.

    Returns:
        A floor with a deviation for each metric of which there are two pairs.
    """
    row = next(row for row in comparison.rows if row.level == level)
    deviations = {}
    for metric in ESTIMATED:
        sd = deviation(log_ratios(paired_values(row.pairs, metric)))
        if sd is not None:
            deviations[metric.name] = sd
    return NoiseFloor(
        key=noise_key(comparison.run),
        measured_at=comparison.run.started_at,
        level=level,
        pairs=len(row.pairs),
        deviations=deviations,
    )


def is_believed(noise_floor: NoiseFloor, now: str) -> bool:
    """Whether a floor is less than a day old.

    Args:
        floor: As it was kept.
        now: UTC, as ``2026-11-30T12:34:56Z``.
    """
    try:
        age = datetime.fromisoformat(now) - datetime.fromisoformat(noise_floor.measured_at)
    except (TypeError, ValueError):  # a stamp that somebody has edited
        return False
    return timedelta(0) <= age < _BELIEVED
