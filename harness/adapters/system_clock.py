"""The host's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The time of day of this host."""

    def utc_stamp(self) -> str:
        """Return the time as ``2026-11-30T12:34:56Z``."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
