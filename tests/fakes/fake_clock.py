"""Clocks for stamps."""


class FakeClock:
    """A clock that moves one second with each stamp, from 2026-11-30T12:00:00Z on."""

    def __init__(self) -> None:
        self.asked = 0

    def utc_stamp(self) -> str:
        """Return the time, a second after the last."""
        minutes, seconds = divmod(self.asked, 60)
        self.asked += 1
        return f"2026-11-30T12:{minutes:02}:{seconds:02}Z"


class StoppedClock:
    """A clock that stands still, so that the records of two runs are equal."""

    def utc_stamp(self) -> str:
        """Return noon."""
        return "2026-11-30T12:00:00Z"
