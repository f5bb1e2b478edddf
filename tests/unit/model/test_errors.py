"""The error tree: what people script against."""

from harness.model import errors
from harness.model.errors import HarnessError


def _all_errors() -> dict[str, type[HarnessError]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, HarnessError)
    }


def test_errors_have_the_documented_exit_codes() -> None:
    """Scripts and CI branch on these numbers: each is what the documents say."""
    assert {name: kind.exit_code for name, kind in _all_errors().items()} == {
        "HarnessError": 70,
        "UsageError": 2,
        "RegressionError": 3,
        "InconclusiveError": 4,
        "DisturbedError": 5,
        "BaseCannotRunError": 6,
        "BranchCannotRunError": 7,
        "RepoError": 10,
        "BuildError": 11,
        "NoBoxError": 12,
    }


def test_errors_exit_codes_are_unique_and_not_taken() -> None:
    """No two causes share a code, and none is 0, Invoke's own 1, or that of an interrupt."""
    codes = [kind.exit_code for kind in _all_errors().values()]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 130} & set(codes)


def test_error_message_is_what_happened_alone_without_a_hint() -> None:
    """An error that has no advice does not end in a dash."""
    assert str(HarnessError("the disk is full")) == "the disk is full"


def test_error_message_holds_hint_and_the_last_lines() -> None:
    """The advice follows on the same line; the log's tail is set off below it."""
    error = HarnessError("it does not build", hint="mend it", tail=["Step 1", "no such file"])
    assert str(error) == "it does not build — mend it\n  | Step 1\n  | no such file"


def test_error_keeps_its_parts() -> None:
    """A caller can show the parts in another way."""
    error = HarnessError("what", hint="hint", tail=["a", "b"])
    assert (error.what, error.hint, error.tail) == ("what", "hint", ("a", "b"))


def test_error_message_holds_nothing_that_a_terminal_acts_on() -> None:
    """The last lines are what a build or a cell printed: they stay on their lines, as data."""
    error = HarnessError("it said a\x1b[2Jb", hint="c\td", tail=["e\rf\x9bg", "h\ni"])
    assert str(error) == "it said a [2Jb — c d\n  | e f g\n  | h i"
