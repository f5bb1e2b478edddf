"""The errors that the runtime raises, one class for each thing a person would do about them."""


class EscapementError(Exception):
    """Base of every error that the runtime raises on purpose."""


class ChartError(EscapementError):
    """The chart's definition is wrong: correct the chart."""


class CheckpointError(EscapementError):
    """A checkpoint can't be written, or read back: see to the record that the message names."""


class SessionError(EscapementError):
    """The session can't go on: the message says where it stood and what stopped it."""
