"""Errors, one class and exit code for each thing that a user would do next."""

from collections.abc import Sequence

from harness.model.text import one_line, printable

_LONGEST = 500


class HarnessError(Exception):
    """An error with a message for the user.

    Args:
        what: What happened and where, in one sentence.
        hint: The next action, as an imperative.
        tail: The last lines of the log.
    """

    exit_code = 70

    def __init__(self, what: str, *, hint: str = "", tail: Sequence[str] = ()) -> None:
        self.what, self.hint, self.tail = what, hint, tuple(tail)
        message = one_line(what, _LONGEST)  # may quote user input or the output of a branch
        lines = [f"{message}{' — ' if hint else ''}{printable(hint)}"]
        lines += [f"  | {printable(line[:_LONGEST])}" for line in tail]
        super().__init__("\n".join(lines))


class UsageError(HarnessError):
    """A flag, a setting or a stored run is invalid."""

    exit_code = 2


class RegressionError(HarnessError):
    """The branch is worse than the base by more than a margin."""

    exit_code = 3


class InconclusiveError(HarnessError):
    """The measurements do not decide, although `--strict` requires it."""

    exit_code = 4


class DisturbedError(HarnessError):
    """The run is invalid: host, box or build was not as required."""

    exit_code = 5


class BaseCannotRunError(HarnessError):
    """The base cannot run the probe."""

    exit_code = 6


class BranchCannotRunError(HarnessError):
    """The branch cannot run the probe."""

    exit_code = 7


class RepoError(HarnessError):
    """Git cannot provide the commits of the comparison."""

    exit_code = 10


class BuildError(HarnessError):
    """A side cannot be built."""

    exit_code = 11


class NoBoxError(HarnessError):
    """No box is available for cells."""

    exit_code = 12
