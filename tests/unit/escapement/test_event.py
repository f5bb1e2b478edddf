"""Event descriptors and error events."""

import pytest

from escapement.event import (
    ErrorEvent,
    Event,
    is_error_event,
    make_error_event,
    matches,
    parse_descriptors,
)


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
def test_descriptor_matches_names_it_is_a_prefix_of(
    descriptors: str, name: str, *, expected: bool
) -> None:
    """Descriptors match token by token, as in the examples of SCXML 3.12.1."""
    assert matches(parse_descriptors(descriptors), name) is expected


@pytest.mark.parametrize("text", ["", "  ", ".", "a..b", "a.*.b", "a*", "**", ".a", "ok a..b"])
def test_descriptor_without_tokens_is_rejected(text: str) -> None:
    """A descriptor is dotted tokens, or ends in a wildcard (SCXML 3.12.1)."""
    with pytest.raises(ValueError, match=r".*"):
        parse_descriptors(text)


@pytest.mark.parametrize(
    ("name", "expected"), [("error", True), ("error.execution", True), ("errors", False)]
)
def test_error_events_are_the_error_family(name: str, *, expected: bool) -> None:
    """Error events are `error` and names with that first token (SCXML 3.12.2)."""
    assert is_error_event(Event(name)) is expected


def test_error_event_holds_the_exception_beside_storable_data() -> None:
    """An error event holds the message as data, and the exception in its own field."""
    cause = ValueError("bad luck")
    event = make_error_event("error.execution", cause)
    assert event == ErrorEvent(
        "error.execution", {"type": "ValueError", "message": "ValueError: bad luck"}
    )
    assert event.cause is cause
