"""Event descriptors and error events."""

import pytest

from escapement.event import ErrorEvent, Event, failure, is_error, parse_descriptors, takes


@pytest.mark.parametrize(
    ("descriptors", "name", "expected"),
    [
        ("error", "error", True),
        ("error", "error.send", True),
        ("error", "error.send.failed", True),
        ("error", "errors.my.custom", False),
        ("error", "errorhandler.mistake", False),
        ("error", "foo.error", False),
        ("error.send", "error.send.failed", True),
        ("error.send", "error.sender", False),
        ("error.", "error.send", True),
        ("error.*", "error", True),
        ("foo error.send", "foo.bar", True),
        ("foo error.send", "error", False),
        ("*", "anything.at.all", True),
        ("foo *", "bar", True),
    ],
)
def test_descriptor_takes_names_it_is_a_prefix_of(
    descriptors: str, name: str, *, expected: bool
) -> None:
    """Descriptors match token by token, as the examples of SCXML 3.12.1 do."""
    assert takes(parse_descriptors(descriptors), name) is expected


@pytest.mark.parametrize("text", ["", "  ", ".", "a..b", "a.*.b", "a*", "**", ".a", "ok a..b"])
def test_descriptor_that_is_not_tokens_is_refused(text: str) -> None:
    """What is neither dotted tokens nor a wildcard at the end is no descriptor (SCXML 3.12.1)."""
    with pytest.raises(ValueError, match=r".*"):
        parse_descriptors(text)


@pytest.mark.parametrize(
    ("name", "expected"), [("error", True), ("error.execution", True), ("errors", False)]
)
def test_error_events_are_the_error_family(name: str, *, expected: bool) -> None:
    """Only `error` and what begins with its token is an error event (SCXML 3.12.2)."""
    assert is_error(Event(name)) is expected


def test_failure_keeps_the_exception_beside_storable_data() -> None:
    """An error event has the message as data, and the exception as a field of its own."""
    cause = ValueError("bad luck")
    event = failure("error.execution", cause)
    assert event == ErrorEvent(
        "error.execution", {"type": "ValueError", "message": "ValueError: bad luck"}
    )
    assert event.cause is cause
