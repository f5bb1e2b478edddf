"""The bytes of a checkpoint on disk: one line of JSON that carries its own checksum."""

import json
from binascii import crc32
from typing import NoReturn

from escapement.event import Event, Timer
from escapement.storage.json_line import make_encode
from escapement.storage.store import Checkpoint

FORMAT = 2
READS = "1 and 2"  # the first version's records have no history, no timers and no checksum

_HEAD = b'{"format":2,"crc32":"%08x",'  # of every byte that follows
_HEAD_BYTES = len(_HEAD % 0)
_KEYS = frozenset({"format", "session", "chart", "configuration", "data", "pending"})
_UNSTORABLE = (TypeError, ValueError, RuntimeError)  # RuntimeError: too deep, or changed meanwhile


class NotHereError(Exception):
    """The record is good, but not to be read here; the message says where it is."""


def serialise(session_id: str, record: Checkpoint) -> bytes:
    """Turn a checkpoint into bytes.

    Raises:
        ValueError: Something in it isn't JSON; the message says what.
    """
    data = record.data
    try:
        "".join(data)  # raises if a key is no text: as text it might meet another
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
        _blame(record, error)
    body = text[1:].encode()
    return _HEAD % crc32(body) + body


def parse(payload: bytes, session_id: str, source: str) -> Checkpoint:
    """Turn the bytes of a checkpoint into what it was.

    Args:
        payload: What `serialise` made, or the first version.
        session_id: Whose checkpoint it must be.
        source: Where the bytes are from.

    Raises:
        NotHereError: A later version wrote it, or it is nested deeper than the stack lets it be.
        ValueError, TypeError, LookupError, RecursionError: It isn't a checkpoint of that session.
    """
    body = payload[_HEAD_BYTES:]
    whole = payload.startswith(_HEAD % crc32(body))
    try:
        content = _object(json.loads(payload))
    except RecursionError as error:
        if not whole:
            raise
        problem = f"{error}; load it with fewer calls on the stack, or raise the recursion limit"
        raise NotHereError(problem) from error
    version = content["format"]
    if type(version) is int and version > FORMAT:
        problem = (
            f"format {version}, and this version reads {READS}; run the session with the version"
            " that wrote it"
        )
        raise NotHereError(problem)
    if not whole and (version != 1 or content.keys() != _KEYS):
        problem = "its checksum is not that of its content"
        raise ValueError(problem)
    if content["session"] != session_id:
        problem = f"it is of session {content['session']!r}"
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


def _blame(record: Checkpoint, error: Exception) -> NoReturn:
    values: list[tuple[str, object]] = []
    for key, value in record.data.items():
        values += [(f"data key {key!r}", _key(key)), (f"data key {key!r}", value)]
    values += [(f"the data of pending event {e.name!r}", e.data) for e in record.pending]
    for timer in record.timers:
        values.append((f"the data of delayed event {timer.event.name!r}", timer.event.data))
    culprit = next((name for name, value in values if not _is_json(value)), "the record")
    message = f"{culprit} can't be written as JSON ({error}); keep plain values in it"
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
