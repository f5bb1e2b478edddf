"""Checks and compiles executable content, event descriptors and conversations."""

from escapement.chart import Action, Cancel, Conversation, Raise, Send
from escapement.event import Descriptor, Event, is_event_name, parse_descriptors
from escapement.machine.node import Block


def compile_block(contents: object) -> Block:
    """Check and compile a block of executable content.

    Raises:
        ValueError: The block is wrong; the message describes the mistake.
    """
    if not isinstance(contents, tuple):
        message = "executable content is a tuple; is a comma missing?"
        raise ValueError(message)  # noqa: TRY004  one kind of error for a mistake in a chart
    return tuple([_compile_content(content) for content in contents])


def compile_descriptors(text: str | None) -> tuple[Descriptor, ...]:
    """Check and parse a transition's event attribute; empty for an eventless one.

    Raises:
        ValueError: A descriptor is wrong; the message describes the mistake.
    """
    if text is None:
        return ()
    try:
        return parse_descriptors(text)
    except ValueError as error:
        message = f"{str(error)!r} is no event descriptor; use `name`, `name.*` or `*`"
        raise ValueError(message) from error


def check_conversation(conversation: Conversation) -> None:
    """Check the names in a conversation.

    Raises:
        ValueError: A name is wrong; the message describes the mistake.
    """
    if not is_event_name(conversation.id):
        message = f"{conversation.id!r} is no conversation id"
        raise ValueError(message)
    for name in conversation.events:
        if not is_event_name(name):
            message = f"conversation offers {name!r}, which is no event name"
            raise ValueError(message)


def _compile_content(content: object) -> Action | Event | Send | Cancel:
    if isinstance(content, Raise):
        _check_event("raises", content.event)
        return Event(content.event, content.data)
    if isinstance(content, Send):
        return _check_send(content)
    if isinstance(content, Cancel):
        _check_id("cancels", content.id)
        return content
    if callable(content):
        return content
    message = f"{content!r} is neither an action nor a Raise, Send or Cancel"
    raise ValueError(message)


def _check_send(send: Send) -> Send:
    _check_event("sends", send.event)
    delay_ms: object = send.delay_ms
    if not isinstance(delay_ms, int) or delay_ms < 0:
        message = f"sends {send.event!r} after {delay_ms!r} ms; use a whole number from 0"
        raise ValueError(message)
    if send.id is not None:
        _check_id(f"sends {send.event!r} as", send.id)
    return send


def _check_event(does: str, name: str) -> None:
    if not is_event_name(name):
        message = f"{does} {name!r}, which is no event name"
        raise ValueError(message)


def _check_id(does: str, send_id: object) -> None:
    if not isinstance(send_id, str) or not send_id:
        message = f"{does} {send_id!r}, which is no id; use a text that is not empty"
        raise ValueError(message)
