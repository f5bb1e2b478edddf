"""The error tree: one class for each thing a person would do differently, each with its exit code."""

from collections.abc import Sequence

from harness.model.text import one_line, printable

_LONGEST = 500


class HarnessError(Exception):
    """Say what went wrong, where, and what to try.

    Args:
        what: One sentence; it names the value or the place.
        hint: What to do about it, one sentence.
        tail: The last lines of the log that belongs to it.
    """

    exit_code = 70

    def __init__(self, what: str, *, hint: str = "", tail: Sequence[str] = ()) -> None:
        self.what, self.hint, self.tail = what, hint, tuple(tail)
        said = one_line(what, _LONGEST)  # it may quote what was typed, stored or printed
        lines = [f"{said}{' — ' if hint else ''}{printable(hint)}"]
        lines += [f"  | {printable(line[:_LONGEST])}" for line in tail]
        super().__init__("\n".join(lines))


class UsageError(HarnessError):
    """A flag, a level, a cap or an environment variable cannot be used."""

    exit_code = 2


class RegressionError(HarnessError):
    """The branch is worse than the base by more than a margin."""

    exit_code = 3


class InconclusiveError(HarnessError):
    """What was measured does not decide, and it was to (`--strict`)."""

    exit_code = 4


class DisturbedError(HarnessError):
    """The run says nothing about the subject: the host, the box or a build was not what it should be."""

    exit_code = 5


class BaseCannotRunError(HarnessError):
    """The base's tree cannot run the probe."""

    exit_code = 6


class BranchCannotRunError(HarnessError):
    """The branch's tree cannot run the probe."""

    exit_code = 7


class RepoError(HarnessError):
    """Git cannot give what the comparison needs."""

    exit_code = 10


class BuildError(HarnessError):
    """A side does not build into an image."""

    exit_code = 11


class NoBoxError(HarnessError):
    """No box can be reached to run cells in."""

    exit_code = 12
