"""The noise floor of a host: measured on pairs of identical builds, valid for a day."""

import hashlib
from datetime import datetime, timedelta

import msgspec

from harness.analysis.comparison import Comparison
from harness.analysis.levels import paired_values
from harness.analysis.stats.ratios import deviation, log_ratios
from harness.model.gate import NoiseFloor
from harness.model.metrics import ESTIMATED
from harness.model.runs import RunInfo

_VALID_FOR = timedelta(days=1)


def noise_key(run: RunInfo) -> str:
    """Return the key of a noise floor: a hash of host, box, caps, arm and load."""
    box = run.box
    drive = run.sides[0].drive
    parts = (
        (box.host, box.host_cpus, box.host_memory_bytes, box.endpoint, box.box, box.engine),
        run.caps,
        run.load,
        drive.arm,
        sorted(drive.environment.items()),
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def find_noise_floor(comparison: Comparison, level: int) -> NoiseFloor:
    """Return the noise floor that the pairs of a level show in an A/A run.

    Only a metric with two pairs has a deviation.
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


def is_fresh(noise_floor: NoiseFloor, now: str) -> bool:
    """Return whether a noise floor is less than a day old; `now` is a UTC stamp."""
    age = datetime.fromisoformat(now) - datetime.fromisoformat(noise_floor.measured_at)
    return timedelta(0) <= age < _VALID_FOR
