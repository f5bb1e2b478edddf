"""What a gate decides by: margins, and the noise of the host."""

from harness.model.stored import Amount, Count, Record


class Margin(Record, frozen=True, kw_only=True):
    """How much worse a metric may be: by a share of the base where it is relative (0.05 is 5 %), else in its own unit."""

    amount: Amount
    is_relative: bool


class Floor(Record, frozen=True, kw_only=True):
    """The noise of one host, box and load, from pairs of identical builds.

    Args:
        key: Of host, box, caps, arm and load.
        measured_at: UTC.
        level: At which concurrency.
        pairs: How many.
        deviations: By metric, the standard deviation of the logarithm of a pair's ratio.
    """

    key: str
    measured_at: str
    level: Count
    pairs: Count
    deviations: dict[str, Amount]


class GateInfo(Record, frozen=True, kw_only=True):
    """What a gate decides by.

    Args:
        margins: By metric; a metric without one is shown and not gated.
        strict: Whether an inconclusive verdict fails.
        floor: None where none is known.
    """

    margins: dict[str, Margin]
    strict: bool = False
    floor: Floor | None = None
