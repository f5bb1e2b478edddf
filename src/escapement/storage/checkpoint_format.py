"""The format of a checkpoint file: one line of JSON with a checksum."""

import json
from binascii import crc32
from typing import NoReturn

from escapement.event import Event, Timer
from escapement.storage.json_line import make_encode
from escapement.storage.store import Checkpoint

FORMAT = 2
READABLE_FORMATS = "1 and 2"  # format 1 has no history, timers and checksum

_HEAD = b'{"format":2,"crc32":"%08x",'  # of all bytes that follow
_HEAD_BYTES = len(_HEAD % 0)
_KEYS = frozenset({"format", "session", "chart", "configuration", "data", "pending"})
_UNSTORABLE = (
    TypeError,
    ValueError,
    RuntimeError,
)  # RuntimeError: too deep, or modified meanwhile


class IncompatibleRecordError(Exception):
    """An intact record cannot be read here; the message describes how to read it."""


def serialise(session_id: str, record: Checkpoint) -> bytes:
    """Encode a checkpoint.

    Raises:
        ValueError: A value is not JSON; the message names it.
    """
    data = record.data
    try:
        "".join(data)  # raises if a key is no text: converted to text, it may equal another key
        text = make_encode()(
            {
                "session": session_id,
                "chart": record.chart_id,
                "configuration": record.configuration,
                "data": data if type(data) is dict else dict(data),
                "pending": [[event.name, event.data] for event in record.pending],
                "history": record.history or {},
                "timers": [[t.event.name, t.event.data, t.due_s, t.id] for t in record.timers],
            }
        )
    except _UNSTORABLE as error:
        _raise_unstorable(record, error)
    body = text[1:].encode()
    return _HEAD % crc32(body) + body


def parse(payload: bytes, session_id: str, source: str) -> Checkpoint:
    """Decode a checkpoint.

    Args:
        payload: The bytes, in any readable format.
        session_id: The session that the checkpoint must belong to.
        source: The origin of the bytes.

    Raises:
        IncompatibleRecordError: The format is newer, or the values are too deep for the stack.
        ValueError, TypeError, LookupError, RecursionError: The bytes are no checkpoint of that
            session.
    """
    body = payload[_HEAD_BYTES:]
    whole = payload.startswith(_HEAD % crc32(body))
    try:
        content = _object(json.loads(payload))
    except RecursionError as error:
        if not whole:
            raise
        problem = f"{error}; load it with fewer calls on the stack, or raise the recursion limit"
        raise IncompatibleRecordError(problem) from error
    version = content["format"]
    if type(version) is int and version > FORMAT:
        problem = (
            f"format {version}, but this version reads {READABLE_FORMATS}; run the session with the"
            " version that wrote it"
        )
        raise IncompatibleRecordError(problem)
    if not whole and (version != 1 or content.keys() != _KEYS):
        problem = "the checksum does not match the content"
        raise ValueError(problem)
    if content["session"] != session_id:
        problem = f"the record belongs to session {content['session']!r}"
        raise ValueError(problem)
    return Checkpoint(
        chart_id=_text(content["chart"]),
        configuration=_texts(content["configuration"]),
        data=_object(content["data"]),
        pending=tuple([_event(*_list(item)) for item in _list(content["pending"])]),
        history={key: _texts(ids) for key, ids in _object(content.get("history", {})).items()},
        timers=tuple([_timer(*_list(item)) for item in _list(content.get("timers", []))]),
        source=source,
    )


def _raise_unstorable(record: Checkpoint, error: Exception) -> NoReturn:
    values: list[tuple[str, object]] = []
    for key, value in record.data.items():
        values += [(f"data key {key!r}", _key(key)), (f"data key {key!r}", value)]
    values += [(f"the data of pending event {e.name!r}", e.data) for e in record.pending]
    for timer in record.timers:
        values.append((f"the data of delayed event {timer.event.name!r}", timer.event.data))
    culprit = next((name for name, value in values if not _is_json(value)), "the record")
    message = f"{culprit} cannot be written as JSON ({error}); use plain values"
    raise ValueError(message) from error


def _key(key: object) -> object:
    return key if isinstance(key, str) else object()


def _is_json(value: object) -> bool:
    try:
        make_encode()(value)
    except _UNSTORABLE:
        return False
    return True


def _event(name: object, data: object) -> Event:
    return Event(_text(name), data)


def _timer(name: object, data: object, due_s: object, timer_id: object) -> Timer:
    if not isinstance(due_s, int | float):
        raise TypeError(type(due_s).__name__)
    return Timer(_event(name, data), due_s, None if timer_id is None else _text(timer_id))


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(type(value).__name__)
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(type(value).__name__)
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple([_text(item) for item in _list(value)])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value
