"""The error tree: exit codes and messages."""

from harness.model import errors
from harness.model.errors import HarnessError


def _all_errors() -> dict[str, type[HarnessError]]:
    return {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, HarnessError)
    }


def test_errors_have_the_documented_exit_codes() -> None:
    """Scripts and CI depend on these numbers."""
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
    """Codes are unique, and differ from 0, 1 (Invoke) and 130 (interrupt)."""
    codes = [kind.exit_code for kind in _all_errors().values()]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 130} & set(codes)


def test_error_message_without_a_hint_is_the_event_alone() -> None:
    """The message then ends without a dash."""
    assert str(HarnessError("the disk is full")) == "the disk is full"


def test_error_message_holds_hint_and_the_last_lines() -> None:
    """The hint follows on the same line, the last log lines below."""
    error = HarnessError("it does not build", hint="fix it", tail=["Step 1", "no such file"])
    assert str(error) == "it does not build — fix it\n  | Step 1\n  | no such file"


def test_error_keeps_its_parts() -> None:
    """Callers can format the parts differently."""
    error = HarnessError("what", hint="hint", tail=["a", "b"])
    assert (error.what, error.hint, error.tail) == ("what", "hint", ("a", "b"))


def test_error_message_holds_no_control_characters() -> None:
    """Log lines of a build or a cell stay on their lines."""
    error = HarnessError("it printed a\x1b[2Jb", hint="c\td", tail=["e\rf\x9bg", "h\ni"])
    assert str(error) == "it printed a [2Jb — c d\n  | e f g\n  | h i"
