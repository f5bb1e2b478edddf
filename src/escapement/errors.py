"""The errors of the runtime, one class for each action that they ask for."""


class EscapementError(Exception):
    """The base class of all errors that the runtime raises on purpose."""


class ChartError(EscapementError):
    """The definition of a chart is wrong; correct the chart."""


class CheckpointError(EscapementError):
    """A checkpoint cannot be written or read; the message names the record."""


class SessionError(EscapementError):
    """A session cannot continue; the message names its state and the cause."""
